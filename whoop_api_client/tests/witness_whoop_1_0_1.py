"""A program of its own: the public client ``whoop`` 1.0.1 logs in, reads everything, prints it as JSON.

Run by `test_witness_clients` in whatever Python holds that package: ``python witness_whoop_1_0_1.py`` with a JSON
object on stdin (``api_base``, ``auth_url``, ``token_url``, ``client_id``, ``client_secret``, ``since``, ``until``).
"""

import json
import os
import sys
import urllib.request

PLACE = json.load(sys.stdin)
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http: the simulator is on loopback

import whoop.auth  # noqa: E402
import whoop.client  # noqa: E402

# the package has no options for its addresses: its documented constants are all there is
whoop.auth.AUTHORIZE_URL, whoop.auth.TOKEN_URL = PLACE["auth_url"], PLACE["token_url"]
whoop.auth.REVOKE_URL = PLACE["api_base"] + "/v2/user/access"
whoop.client.REQUEST_URL = PLACE["api_base"]


class Stay(urllib.request.HTTPRedirectHandler):
    """The browser that stops at the redirect home."""

    def redirect_request(self, *_):
        return None


def final_address(url):
    """Where the browser ended."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay)
    try:
        opener.open(url)
    except urllib.error.HTTPError as answer:
        return answer.headers["Location"]
    raise SystemExit("expected a redirect")


client = whoop.client.WhoopClient(
    PLACE["client_id"], PLACE["client_secret"], redirect_uri="http://localhost:8080/callback"
)
client.session.trust_env = False
url, state = client.authorization_url()
client.fetch_token(authorization_response=final_address(url))
first = client.token["access_token"]
client.session.token["expires_at"] = 1  # Authlib then refreshes by itself, with the full scope list
span = (PLACE["since"], PLACE["until"])
found = {
    "cycle": client.get_cycle_collection(*span),
    "recovery": client.get_recovery_collection(*span),
    "sleep": client.get_sleep_collection(*span),
    "workout": client.get_workout_collection(*span),
    "profile": client.get_profile(),
    "body": client.get_body_measurement(),
}
rotated = client.token["access_token"] != first
client.revoke_access()
json.dump({"records": found, "rotated": rotated}, sys.stdout)
