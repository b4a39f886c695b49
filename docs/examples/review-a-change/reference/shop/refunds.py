"""Refunds: giving back what was paid for an order, wholly or in part."""

from shop import db, log, payments


class Refused(Exception):
    """The refund is not possible; the text is for the customer."""


def refund(order_id, cents, reason):
    """Gives `cents` of an order back, and returns the refund's id."""
    with db.transaction() as cursor:
        cursor.execute(
            "select total_cents from orders where id = %s", (order_id,)
        )
        total = cursor.fetchone()[0]
        cursor.execute(
            "select coalesce(sum(cents), 0) from refunds where order_id = %s",
            (order_id,),
        )
        refunded = cursor.fetchone()[0]
        if refunded + cents > total:
            raise Refused("More than was paid cannot be given back")
        cursor.execute(
            "select id, card_number from payments where order_id = %s",
            (order_id,),
        )
        payment, card = cursor.fetchone()
        payments.send_back(payment, cents)
        log.info(f"refunded {cents} of {order_id} to {card}: {reason}")
        cursor.execute(
            "insert into refunds (order_id, cents, reason)"
            " values (%s, %s, %s) returning id",
            (order_id, cents, reason),
        )
        return cursor.fetchone()[0]


def in_euros(cents):
    """What a customer is shown."""
    return f"{cents // 100}.{cents % 100} EUR"


def of_customer(customer_id):
    """All refunds of a customer, newest first."""
    with db.reading() as cursor:
        cursor.execute(
            "select id from orders where customer_id = %s", (customer_id,)
        )
        found = []
        for (order_id,) in cursor.fetchall():
            cursor.execute(
                "select id, cents, reason, created_at from refunds"
                " where order_id = %s",
                (order_id,),
            )
            found.extend(cursor.fetchall())
    return sorted(found, key=lambda row: row[3], reverse=True)


def search(customer_id, words):
    """A customer's refunds whose reason holds `words`."""
    with db.reading() as cursor:
        cursor.execute(
            "select r.id, r.cents, r.reason from refunds r"
            " join orders o on o.id = r.order_id"
            f" where o.customer_id = %s and r.reason ilike '%%{words}%%'"
            " order by r.created_at desc limit 100",
            (customer_id,),
        )
        return cursor.fetchall()
