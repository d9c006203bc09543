from flask.testing import FlaskClient


def test_anybody_may_ask_whether_the_server_works(client: FlaskClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")
