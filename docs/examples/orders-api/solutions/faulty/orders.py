"""Orders: what may be ordered, and what becomes of the stock."""

import database
from problem import Problem

MAX_LISTED = 100


def create(customer, body, key):
    """Stores an order and takes its quantities from the stock.

    With a `key`, the same customer's second call answers with the order that
    the first one made.
    """
    lines = _lines(body)
    with database.transaction() as cursor:
        order_id = _insert(cursor, customer, key)
        if order_id is not None:
            total = sum(_take(cursor, sku, qty) for sku, qty in lines)
            _complete(cursor, order_id, lines, total)
            return _load(cursor, customer, "o.id = %s", order_id)[0]
    # The unique key made us wait for the other request's commit; this
    # statement sees what it stored.
    with database.reading() as cursor:
        return _load(cursor, customer, "o.idempotency_key = %s", key)[0]


def get(customer, order_id):
    with database.reading() as cursor:
        found = _load(cursor, customer, "o.id = %s", order_id)
    return found[0] if found else None


def list_of(customer):
    with database.reading() as cursor:
        cursor.execute(
            "select id from orders where customer_id = %s"
            " order by created_at desc, id limit %s",
            (customer, MAX_LISTED),
        )
        found = [row[0] for row in cursor]
        return [_load(cursor, customer, "o.id = %s", each)[0] for each in found]


def _lines(body):
    """(sku, qty) in the order of the SKUs, or a 422."""
    lines = body.get("lines") if isinstance(body, dict) else None
    if not isinstance(lines, list) or not 1 <= len(lines) <= 100:
        raise Problem(422, "lines must hold 1 to 100 lines")
    found = {}
    for line in lines:
        sku = line.get("sku") if isinstance(line, dict) else None
        qty = line.get("qty") if isinstance(line, dict) else None
        if not isinstance(sku, str):
            raise Problem(422, "sku must be a string")
        if type(qty) is not int or not 1 <= qty <= 1000:
            raise Problem(422, "qty must be a whole number from 1 to 1000")
        if sku in found:
            raise Problem(422, "each sku may occur once")
        found[sku] = qty
    # Always locking in one order keeps two orders of the same products from
    # waiting for each other.
    return sorted(found.items())


def _insert(cursor, customer, key):
    cursor.execute(
        "insert into orders (customer_id, idempotency_key, total_cents)"
        " values (%s, %s, 0)"
        " on conflict (customer_id, idempotency_key) do nothing returning id",
        (customer, key),
    )
    row = cursor.fetchone()
    return row[0] if row else None


def _take(cursor, sku, qty):
    """Takes `qty` from the stock and returns what it costs in cents."""
    cursor.execute("select stock, price_cents from products where sku = %s", (sku,))
    row = cursor.fetchone()
    if row is None:
        raise Problem(422, "There is no product with this sku")
    stock, price = row
    if stock < qty:
        raise Problem(409, "The stock does not suffice")
    cursor.execute(
        "update products set stock = %s where sku = %s", (stock - qty, sku)
    )
    return price * qty


def _complete(cursor, order_id, lines, total):
    cursor.execute(
        "insert into order_lines (order_id, sku, qty)"
        " select %s, line.* from unnest(%s, %s) as line",
        (order_id, [sku for sku, _ in lines], [qty for _, qty in lines]),
    )
    cursor.execute(
        "update orders set total_cents = %s where id = %s", (total, order_id)
    )


def _load(cursor, customer, condition, *arguments):
    """The customer's orders with their lines, newest first, in one statement."""
    cursor.execute(
        "select o.id, o.status, o.total_cents, o.created_at,"
        " json_agg(json_build_object('sku', l.sku, 'qty', l.qty) order by l.sku)"
        " from orders o join order_lines l on l.order_id = o.id"
        f" where o.customer_id = %s and {condition}"
        " group by o.id order by o.created_at desc, o.id limit %s",
        (customer, *arguments, MAX_LISTED),
    )
    return [
        {
            "id": order_id,
            "status": status,
            "total_cents": total,
            "created_at": created.isoformat(),
            "lines": lines,
        }
        for order_id, status, total, created, lines in cursor
    ]
