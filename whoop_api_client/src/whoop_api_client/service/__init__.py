"""The room as a small HTTP service for this machine: connect, pull, import, status, tables, webhooks.

Loopback only, behind `gate`; one pull or import at a time; no script, no CDN. The OpenAPI document is at
/openapi.json.
"""

from whoop_api_client.service.app import PORT, create_app
from whoop_api_client.service.desk import TOKEN_FILE
from whoop_api_client.service.listening import announcement, serve

__all__ = ["PORT", "TOKEN_FILE", "announcement", "create_app", "serve"]
