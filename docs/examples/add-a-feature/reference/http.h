// As much of HTTP/1.1 as this service needs.
#pragma once

#include <functional>
#include <map>
#include <string>

struct Request {
  std::string method;
  std::string path;
  std::string body;
};

struct Answer {
  int status = 200;
  std::string body;
  std::map<std::string, std::string> headers;
};

using Handler = std::function<Answer(const Request&)>;

// Answers requests on 127.0.0.1 for ever, each connection in a thread of its
// own, which is where `handler` is called.
[[noreturn]] void Serve(int port, const Handler& handler);
