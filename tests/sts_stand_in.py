"""A small stand-in for vCenter's token service: it verifies the request's signature as the real one does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509 import load_der_x509_certificate
from lxml import etree

from tests.tokens import assertion

NAMES = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "u": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    "o": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "t": "http://docs.oasis-open.org/ws-sx/ws-trust/200512",
    "d": "http://www.w3.org/2000/09/xmldsig#",
}
FAULT = (
    "<S:Envelope xmlns:S='http://schemas.xmlsoap.org/soap/envelope/'><S:Body><S:Fault>"
    "<faultcode>ns0:FailedAuthentication</faultcode><faultstring>{}</faultstring></S:Fault></S:Body></S:Envelope>"
)
RESPONSE = (
    "<S:Envelope xmlns:S='http://schemas.xmlsoap.org/soap/envelope/'><S:Body>"
    "<RequestSecurityTokenResponseCollection xmlns='http://docs.oasis-open.org/ws-sx/ws-trust/200512'>"
    "<RequestSecurityTokenResponse><RequestedSecurityToken>{}</RequestedSecurityToken>"
    "</RequestSecurityTokenResponse></RequestSecurityTokenResponseCollection></S:Body></S:Envelope>"
)


class Sts:
    """What the stand-in knows, and what it was asked."""

    def __init__(self, username="alice", password="secret & <more>", seconds=600.0):
        self.username, self.password = username, password
        self.seconds = seconds
        self.paths: list[str] = []
        self.response = None

    def respond(self, message: bytes) -> tuple[int, str]:
        if self.response is not None:
            return self.response
        envelope = etree.fromstring(message)
        certificate = load_der_x509_certificate(base64.b64decode(text(envelope, "//o:BinarySecurityToken")))
        if not self._is_signed(envelope, certificate):
            return 500, FAULT.format("The signature is not valid")
        given = text(envelope, "//o:Username"), text(envelope, "//o:Password")
        if given != (self.username, self.password):
            return 500, FAULT.format("Invalid credentials")
        der = base64.b64decode(text(envelope, "//o:BinarySecurityToken"))
        return 200, RESPONSE.format(assertion(der, user=self.username, seconds=self.seconds))

    def _is_signed(self, envelope, certificate) -> bool:
        (use_key,) = envelope.xpath("//t:UseKey/@Sig", namespaces=NAMES)
        (signature,) = envelope.xpath(f"//d:Signature[@Id='{use_key}']", namespaces=NAMES)
        referred = signature.xpath(".//d:Reference/@URI", namespaces=NAMES)
        if set(referred) != {"#_body", "#_time"}:
            return False
        for uri, digest in zip(
            referred, signature.xpath(".//d:DigestValue/text()", namespaces=NAMES), strict=True
        ):
            (element,) = envelope.xpath(f"//*[@u:Id='{uri[1:]}']", namespaces=NAMES)
            if base64.b64encode(hashlib.sha256(canonical(element)).digest()).decode() != digest:
                return False
        (signed,) = signature.xpath("d:SignedInfo", namespaces=NAMES)
        value = base64.b64decode(text(signature, "d:SignatureValue"))
        certificate.public_key().verify(value, canonical(signed), PKCS1v15(), hashes.SHA256())
        return True


def text(element, path):
    return element.xpath(path, namespaces=NAMES)[0].text


def canonical(element):
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


@contextlib.contextmanager
def sts_server(sts, context):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sts.paths.append(self.path)
            status, body = sts.respond(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Say nothing: a client that hangs up in the handshake is part of a test."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
