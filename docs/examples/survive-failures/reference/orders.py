"""Orders: stored first, then charged, then acknowledged."""

import database
import payments


def create(sku, qty, card):
    # On disk before money moves: a crash leaves an order that is not paid, never a
    # payment without an order.
    with database.transaction() as cursor:
        cursor.execute("insert into orders (sku, qty) values (%s, %s) returning id",
                       (sku, qty))
        number = cursor.fetchone()[0]
        cursor.execute("insert into order_lines select %s, generate_series(1, %s)",
                       (number, qty))
    payments.charge(number, card)
    with database.transaction() as cursor:
        cursor.execute("update orders set state = 'paid' where id = %s", (number,))
    return {"id": number, "sku": sku, "qty": qty}


def every():
    with database.transaction() as cursor:
        cursor.execute(
            "select o.id, o.sku, o.qty, array_agg(l.piece order by l.piece)"
            " from orders o join order_lines l on l.order_id = o.id"
            " group by o.id order by o.id")
        rows = cursor.fetchall()
    return [{"id": i, "sku": sku, "qty": qty, "lines": lines}
            for i, sku, qty, lines in rows]
