"""Notes, each its owner's."""

import store


def create(owner, text):
    rows = store.run(
        "insert into notes (owner, text) values (?, ?) returning id, text", owner, text)
    return _note(rows[0])


def get(owner, note):
    rows = store.run("select id, text from notes where id = ? and owner = ?", note, owner)
    return _note(rows[0]) if rows else None


def change(owner, note, text):
    rows = store.run(
        "update notes set text = ? where id = ? and owner = ? returning id, text",
        text, note, owner)
    return _note(rows[0]) if rows else None


def search(owner, words):
    rows = store.run(
        "select id, text from notes where owner = ? and instr(text, ?) order by id",
        owner, words)
    return [_note(row) for row in rows]


def _note(row):
    return {"id": row[0], "text": row[1]}
