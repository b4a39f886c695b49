// shorty PORT: the routes.

#include <cstdlib>

#include "handlers.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  static Links links;
  Serve(std::atoi(argv[1]), [](const Request& request) -> Answer {
    const std::string& path = request.path;
    if (path == "/healthz") return {200, "{}", {}};
    if (request.method == "POST" && path == "/links") return Create(links, request);
    if (request.method != "GET") return Problem(405, "There is no such method");
    return Follow(links, path.substr(1));
  });
}
