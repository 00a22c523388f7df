"""Asyncio-native client for VMware Script Runtime Service for vSphere."""
