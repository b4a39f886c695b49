"""Refunds over HTTP: what may be asked for, and how answers look."""

from shop import payments, refunds
from shop.http import Answer, route

MAX_REASON = 500


@route("POST", "/orders/{order_id}/refunds")
def create(customer, path, body):
    cents = body.get("cents")
    reason = body.get("reason", "")
    if not isinstance(cents, int):
        return Answer(422, {"title": "cents must be a whole number"})
    if not isinstance(reason, str) or len(reason) > MAX_REASON:
        return Answer(422, {"title": "reason must be a short text"})
    try:
        refund_id = refunds.refund(path["order_id"], cents, reason)
    except refunds.Refused as refused:
        return Answer(409, {"title": str(refused)})
    except payments.Unavailable:
        return Answer(503, {"title": "Try again later"})
    return Answer(
        201, {"id": refund_id, "refunded": refunds.in_euros(cents)}
    )


@route("GET", "/refunds")
def listed(customer, path, body):
    rows = refunds.of_customer(customer)
    return Answer(200, {"refunds": [as_json(row) for row in rows]})


@route("GET", "/refunds/search/{words}")
def found(customer, path, body):
    rows = refunds.search(customer, path["words"])
    return Answer(200, {"refunds": [as_json(row) for row in rows]})


def as_json(row):
    return {"id": row[0], "amount": refunds.in_euros(row[1]), "reason": row[2]}
