"""What the service's router, binder and login answer: the recorded facts, without the recording."""

from __future__ import annotations

import base64

import pytest

from srs_vsphere.simulator import Request, Settings, Simulator, VirtualClock

EXECUTION = "/api/script-executions/x"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/", 404, None),
        ("GET", "/api/nothing", 404, None),
        ("GET", "/api/runspaces/a/b", 404, None),
        ("GET", "/api/sessions", 404, None),
        ("PUT", "/api/runspaces", 405, "GET, POST"),
        ("HEAD", "/api/runspaces", 405, "GET, POST"),
        ("OPTIONS", "/api/webconsoles/x", 405, "DELETE, GET"),
        ("GET", "/api/auth/login", 405, "POST"),
        ("DELETE", EXECUTION, 405, "GET"),
        ("GET", f"{EXECUTION}/cancel", 405, "POST"),
    ],
)
def test_the_router_answers_without_a_key_and_without_a_body(service, method, path, status, allow):
    reply = service.handle(Request(method, path))

    assert (reply.status, dict(reply.headers).get("Allow"), reply.body) == (status, allow, b"")


@pytest.mark.parametrize(
    "path", ["/API/Runspaces/", "/api/runspaces?x=1", "/api/./runspaces", "/api/x/../runspaces"]
)
def test_a_path_may_be_written_differently(alice, path):
    assert alice.get(path) == (200, [])


def test_a_slash_in_an_id_stays_encoded_and_nothing_else_does(alice):
    assert (
        alice.get("/api/runspaces/a%2Fb%20c%C3%A9")[1]["error_message"]
        == "Runspace with id 'a%2Fb cé' not found"
    )


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "foo", "text/json"]
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/api/runspaces"), ("POST", "/api/auth/login")])
def test_a_foreign_content_type_is_refused_before_the_key_is_looked_at(service, method, path, content_type):
    reply = service.handle(Request(method, path, (("content-type", content_type),)))

    assert (reply.status, reply.body) == (415, b"")


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/a+json"]
)
def test_json_content_types_are_taken_where_there_is_no_body(alice, content_type):
    assert alice.call("GET", "/api/runspaces", content_type=content_type) == (200, [])


def test_about_minds_neither_key_nor_content_type(service):
    reply = service.handle(Request("GET", "/api/about", (("content-type", "text/plain"),)))

    assert reply.status == 200
    assert reply.body.startswith(b'{"name":"Script Runtime Service for vSphere","vendor":"VMware, Inc."')


@pytest.mark.parametrize("key", [None, "", "unknown", "upper"])
def test_what_needs_a_key_is_refused_without_a_body_or_a_challenge(service, alice, key):
    headers = () if key is None else (("x-srs-api-key", alice.key.upper() if key == "upper" else key),)

    reply = service.handle(Request("GET", "/api/runspaces", headers))

    assert (reply.status, reply.headers, reply.body) == (401, (), b"")


@pytest.mark.parametrize(
    "credentials", [None, "Basic %%%", "Basic YWxpY2U=", "Bearer abc", "Basic YWxpY2U6d3Jvbmc=", "Basic"]
)
def test_a_refused_login_names_both_schemes_in_one_line(service, credentials):
    headers = () if credentials is None else (("authorization", credentials),)

    reply = service.handle(Request("POST", "/api/auth/login", headers))

    assert (reply.status, reply.body) == (401, b"")
    [(name, challenge)] = reply.headers
    assert name == "WWW-Authenticate"
    assert challenge.startswith('Basic realm="SRS endpoint",SIGN realm="')


def test_any_scheme_in_front_of_good_credentials_will_do(service):
    pair = base64.b64encode(b"alice:secret").decode()

    reply = service.handle(Request("POST", "/api/auth/login", (("authorization", f"Whatever {pair}"),)))

    assert reply.status == 200


def test_users_are_known_in_any_letter_case_and_with_their_domain():
    simulator = Simulator(users={"Ålice@vsphere.local": "a:b"}, clock=VirtualClock())
    pair = base64.b64encode("ålice:a:b".encode()).decode()

    assert (
        simulator.handle(Request("POST", "/api/auth/login", (("authorization", f"Basic {pair}"),))).status
        == 200
    )


@pytest.mark.parametrize("users", [{" ": "x"}, {"alice": "x", "Alice@VSPHERE.local": "y"}])
def test_users_that_cannot_be_are_refused(users):
    with pytest.raises(ValueError, match="user"):
        Simulator(users=users)


@pytest.mark.parametrize("body", ["", "  ", "null", "/* nothing */"])
def test_a_body_must_not_be_empty(alice, body):
    status, problem = alice.call("POST", "/api/runspaces", body)

    assert status == 400
    assert list(problem) == ["errors", "type", "title", "status", "traceId"]
    assert problem["errors"] == {"": ["A non-empty request body is required."]}


def test_a_body_needs_a_content_type(alice):
    reply = alice.reply("POST", "/api/runspaces", b"{}", content_type="")

    assert reply.status == 415
    assert b'"title":"Unsupported Media Type","status":415' in reply.body


@pytest.mark.parametrize(
    ("body", "name", "connected"),
    [
        ("{}", None, False),
        ('{"NAME":"n","Run_VC_Connection_Script":true}', "n", True),
        ('{"name":1.50,"run_vc_connection_script":"TRUE"}', "1.50", True),
        ('{"name":true,"run_vc_connection_script":1}', "true", True),
        ('{"name":null,"run_vc_connection_script":null}', None, False),
        ('{"name":"a","name":"b","id":"mine","state":7,"color":"red"}', "b", False),
        ("{name:'it''s',}", None, None),
        ("{'name':'n',/*c*/\"run_vc_connection_script\":'',} and more", "n", False),
        ('{"name":"n","creation_time":"2001-01-01T00:00:00Z"}', "n", False),
    ],
)
def test_bodies_are_read_leniently(alice, body, name, connected):
    status, answer = alice.call("POST", "/api/runspaces", body)

    if connected is None:
        assert status == 400
    else:
        assert (status, answer.get("name"), answer["run_vc_connection_script"]) == (202, name, connected)


@pytest.mark.parametrize(
    ("body", "key", "message"),
    [
        ("{", "", "Unexpected end when reading JSON. Path '', line 1, position 1."),
        ('{"name":1', "name", "Unexpected end when deserializing object. Path 'name', line 1, position 9."),
        (
            '{"name":"x',
            "name",
            "Unterminated string. Expected delimiter: \". Path 'name', line 1, position 10.",
        ),
        ('{\n "name": ?}', "name", "Unexpected character encountered while parsing value: ?."),
        ('{"name" 1}', "", "Invalid character after parsing property name. Expected ':' but got: 1."),
        ('{"name":1 2}', "name", "After parsing a value an unexpected character was encountered: 2."),
        ('"x"', "", 'Error converting value "x" to type \''),
        ("[]", "", "Cannot deserialize the current JSON array"),
        ('{"name":{"a":1}}', "name", "Unexpected character encountered while parsing value: {."),
        ('{"name":[1]}', "name", "Unexpected character encountered while parsing value: [."),
        (
            '{"run_vc_connection_script":"maybe"}',
            "run_vc_connection_script",
            "Could not convert string to boolean",
        ),
        ('{"creation_time":"soon"}', "creation_time", "Could not convert string to DateTime: soon."),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_its_place(alice, body, key, message):
    status, problem = alice.call("POST", "/api/runspaces", body)

    assert status == 400
    assert problem["errors"][key][0].startswith(message)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"script": "Required property 'script'", "runspace_id": "Required property 'runspace_id'"}),
        (
            {"runspace_id": " ", "script": None},
            {"Script": "The Script field is required.", "RunspaceId": "The RunspaceId field is required."},
        ),
        (
            {"runspace_id": "x", "script": "1", "script_parameters": [{"value": 1}]},
            {"script_parameters[0].name": "Required property 'name'"},
        ),
        (
            {"runspace_id": "x", "script": "1", "script_parameters": [{"name": " "}]},
            {"ScriptParameters[0].Name": "The Name field is required."},
        ),
        (
            {"runspace_id": "x", "script": "1", "output_objects_format": "xml"},
            {"output_objects_format": 'Error converting value "xml" to type'},
        ),
        (
            {"runspace_id": "x", "script": "1", "script_parameters": {"a": 1}},
            {"script_parameters": "Cannot deserialize the current JSON object"},
        ),
        (
            {"runspace_id": "x", "script": "1", "script_parameters": ["a"]},
            {"script_parameters[0]": "Error converting value"},
        ),
    ],
)
def test_a_script_needs_its_members(alice, body, errors):
    status, problem = alice.call("POST", "/api/script-executions", body)

    assert status == 400
    assert {
        key: any(text in message for message in problem["errors"][key]) for key, text in errors.items()
    } == (dict.fromkeys(errors, True))
    assert problem["errors"].keys() == errors.keys()


@pytest.mark.parametrize("value", ["true", "TRUE", "false", ""])
def test_a_flag_in_the_query_is_a_word(alice, value):
    assert alice.get(f"/api/script-executions?SkipSystemExecutions={value}") == (200, [])


@pytest.mark.parametrize("value", ["1", "yes", "0"])
def test_a_flag_in_the_query_is_no_number(alice, value):
    status, problem = alice.get(f"/api/script-executions?skipSystemExecutions={value}")

    assert status == 400
    assert problem["errors"] == {"skipSystemExecutions": [f"The value '{value}' is not valid."]}


@pytest.mark.parametrize(
    ("stream", "message"),
    [("progress", "The value 'progress' is not valid."), ("9", "The value '9' is invalid.")],
)
def test_an_unknown_stream_is_refused(alice, stream, message):
    status, problem = alice.get(f"{EXECUTION}/streams/{stream}")

    assert (status, problem["errors"]) == (400, {"stream-type": [message]})


@pytest.mark.parametrize("stream", ["ERROR", "2", "Debug", "0"])
def test_a_stream_is_known_in_any_letter_case_and_by_number(alice, stream):
    assert alice.get(f"{EXECUTION}/streams/{stream}")[1]["code"] == 1040


def test_an_unknown_execution_has_another_code_for_cancel(alice):
    assert alice.get(EXECUTION)[1] == {"code": 1040, "error_message": "Script with id 'x' not found"}
    status, error = alice.call("POST", f"{EXECUTION}/cancel")
    assert (status, error) == (404, {"code": 500, "error_message": "Script with id 'x' not found"})


@pytest.mark.parametrize("count", [-1, float("nan")])
@pytest.mark.parametrize("name", ["idle_limit", "first_poll"])
def test_settings_that_cannot_be_are_refused(name, count):
    with pytest.raises(ValueError, match=name):
        Settings(**{name: count})


@pytest.mark.parametrize(("name", "value"), [("quota", "5"), ("quota", float("nan")), ("idle_limit", "5")])
def test_settings_are_numbers(name, value):
    with pytest.raises(TypeError, match=name):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"users": "alice"}, TypeError, "users must map names to passwords, not be a str"),
        ({"users": {"alice": 5}}, TypeError, "users must map names to passwords, both as text"),
        ({"users": {" ": "x"}}, ValueError, "a user name must not be blank"),
        ({"users": {"a:b": "x"}}, ValueError, "a user name must not hold a colon"),
        ({"settings": {"quota": 5}}, TypeError, "settings must be Settings, not dict"),
        ({"clock": 5}, TypeError, "clock must be a Clock"),
    ],
)
def test_what_makes_no_simulator_is_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        Simulator(**arguments)


def test_a_quota_is_not_less_than_nothing():
    with pytest.raises(ValueError, match="quota must be 0 or more, not -1"):
        Settings(quota=-1)


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="poll_interval"):
        Settings(poll_interval=0)
