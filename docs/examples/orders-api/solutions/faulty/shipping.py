"""Ships orders in the background."""

import sys
import threading
import time

import database

PACKING_SECONDS = 1
POLL_SECONDS = 0.25


def start():
    threading.Thread(target=_ship_for_ever, daemon=True).start()


def _ship_for_ever():
    while True:
        try:
            _ship_what_is_packed()
        except Exception as error:
            # Orders stay `created` in the database, so nothing is lost by
            # trying again.
            print(f"shipping: {type(error).__name__}", file=sys.stderr)
        time.sleep(POLL_SECONDS)


def _ship_what_is_packed():
    with database.reading() as cursor:
        cursor.execute(
            "update orders set status = 'shipped' where status = 'created'"
            " and created_at < now() - make_interval(secs => %s)",
            (PACKING_SECONDS,),
        )
