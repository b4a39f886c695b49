"""What goes wrong in a way that the caller is told about (RFC 9457)."""


class Problem(Exception):
    def __init__(self, status, title):
        super().__init__(title)
        self.status = status
        self.title = title

    def as_json(self):
        return {"type": "about:blank", "title": self.title, "status": self.status}
