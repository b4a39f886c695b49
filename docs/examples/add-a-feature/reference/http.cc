#include "http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <strings.h>
#include <thread>

namespace {

constexpr std::size_t kMostBytes = 64 * 1024;

// Reads until `buffer` holds a head, then its body. False: the client is gone.
bool Read(int socket, std::string& buffer, Request& request) {
  std::size_t head;
  char chunk[4096];
  const auto more = [&] {
    const ssize_t got = read(socket, chunk, sizeof chunk);
    if (got <= 0 || buffer.size() > kMostBytes) return false;
    buffer.append(chunk, static_cast<std::size_t>(got));
    return true;
  };
  while ((head = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return false;
  }
  const std::size_t space = buffer.find(' ');
  const std::size_t end = buffer.find(' ', space + 1);
  if (end == std::string::npos || end > head) return false;
  request.method = buffer.substr(0, space);
  request.path = buffer.substr(space + 1, end - space - 1);
  std::size_t length = 0;
  for (std::size_t line = buffer.find("\r\n") + 2; line < head;
       line = buffer.find("\r\n", line) + 2) {
    if (strncasecmp(&buffer[line], "content-length:", 15) == 0) {
      length = std::strtoul(&buffer[line + 15], nullptr, 10);
    }
  }
  if (length > kMostBytes) return false;
  while (buffer.size() < head + 4 + length) {
    if (!more()) return false;
  }
  request.body = buffer.substr(head + 4, length);
  buffer.erase(0, head + 4 + length);
  return true;
}

void Talk(int socket, const Handler& handler) {
  std::string buffer;
  Request request;
  while (Read(socket, buffer, request)) {
    const Answer answer = handler(request);
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                       " -\r\nContent-Type: application/json\r\n"
                       "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\r\n";
    text += "\r\n" + answer.body;
    if (write(socket, text.data(), text.size()) < 0) break;
  }
  close(socket);
}

}  // namespace

void Serve(int port, const Handler& handler) {
  signal(SIGPIPE, SIG_IGN);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 128) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  for (;;) {
    const int socket = accept(listener, nullptr, nullptr);
    if (socket >= 0) std::thread(Talk, socket, handler).detach();
  }
}
