"""A trivial service: one thread, one buffer, one answer for every request."""
import os
import socket

ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
          b"Content-Length: 11\r\n\r\n{\"id\": \"7\"}")

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(os.environ.get("PORT", "8080"))))
listener.listen()
if "PORT_FILE" in os.environ:
    with open(os.environ["PORT_FILE"], "w", encoding="utf-8") as file:
        file.write(str(listener.getsockname()[1]))
while True:
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while request := connection.recv(65536):
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(65536)
        connection.sendall(ANSWER)
    connection.close()
