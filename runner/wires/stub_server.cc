#include "runner/wires/stub_server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "runner/suite/units.h"
#include "runner/wires/spawn.h"

namespace assay::wires {

namespace asio = boost::asio;
using asio::ip::tcp;
using nlohmann::json;

namespace {

Expected<StubReply> ParseReply(const std::string& route, const json& value) {
  if (!value.is_object()) {
    return InvalidArgument("route \"", route,
                           "\": expected a reply like { status: 201, json: "
                           "{...} }, found ",
                           value.dump().substr(0, 80));
  }
  StubReply reply;
  for (const auto& [key, part] : value.items()) {
    if (key == "status" && part.is_number_integer() && part >= 200 &&
        part <= 599) {
      reply.status = part.get<int>();
    } else if (key == "json") {
      reply.body = part.dump();
      reply.headers.emplace_back("content-type", "application/json");
    } else if (key == "text" && part.is_string()) {
      reply.body = part.get<std::string>();
    } else if (key == "headers" && part.is_object()) {
      for (const auto& [name, text] : part.items()) {
        reply.headers.emplace_back(
            name, text.is_string() ? text.get<std::string>() : text.dump());
      }
    } else if (key == "delay" && part.is_string()) {
      ASSAY_ASSIGN_OR_RETURN(reply.delay,
                             suite::ParseDuration(part.get<std::string>()));
    } else {
      return InvalidArgument("route \"", route, "\": \"", key, "\" is ",
                             part.dump().substr(0, 80),
                             "; a reply has status (200 to 599), headers, json "
                             "or text, and delay");
    }
  }
  return reply;
}

// "GET /orders/7" against "GET /orders/*".
bool Matches(std::string_view route, std::string_view request) {
  while (true) {
    const std::size_t a = route.find('/');
    const std::size_t b = request.find('/');
    const std::string_view want = route.substr(0, a);
    if (want != "*" && want != request.substr(0, b)) return false;
    if (a == std::string_view::npos || b == std::string_view::npos) {
      return a == b;
    }
    route.remove_prefix(a + 1);
    request.remove_prefix(b + 1);
  }
}

}  // namespace

Expected<StubRoutes> ParseStubRoutes(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) {
    return InvalidArgument("routes: expected replies by \"METHOD /path\"");
  }
  StubRoutes routes;
  for (const auto& [route, value] : document.items()) {
    if (route.find(" /") == std::string::npos) {
      return InvalidArgument(
          "routes: expected a method and a path, like \"POST "
          "/charge\", found \"",
          route, "\"");
    }
    const json list = value.is_array() ? value : json::array({value});
    if (list.empty()) {
      return InvalidArgument("route \"", route, "\": there is no reply");
    }
    for (const json& entry : list) {
      ASSAY_ASSIGN_OR_RETURN(StubReply reply, ParseReply(route, entry));
      routes[route].push_back(std::move(reply));
    }
  }
  return routes;
}

struct StubServer::State {
  StubReply Answer(const Http1Head& head) {
    if (error != 0) {
      return {error,
              {{"content-type", "application/json"}},
              R"({"error":"injected by the assessment"})",
              {}};
    }
    const std::string request =
        head.first + " " + head.second.substr(0, head.second.find('?'));
    auto found = routes.find(request);
    if (found == routes.end()) {
      for (auto it = routes.begin(); it != routes.end(); ++it) {
        if (Matches(it->first, request)) found = it;
      }
    }
    if (found == routes.end()) {
      return {404,
              {{"content-type", "text/plain"}},
              "no route " + request.substr(0, 200) + "\n",
              {}};
    }
    const auto& replies = found->second;
    return replies[std::min(turns[found->first]++, replies.size() - 1)];
  }

  static asio::awaitable<Expected<tcp::socket>> Dial(
      std::shared_ptr<State> self) {
    // The run's process may make no other kind of socket. Asio's stream socket
    // reads and writes one as well as TCP's.
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   ends.data()) != 0) {
      co_return SystemError("socketpair", errno);
    }
    tcp::socket ours(self->executor);
    tcp::socket theirs(self->executor);
    ours.assign(tcp::v4(), ends[0]);
    theirs.assign(tcp::v4(), ends[1]);
    // What a caller sends is the tap's business.
    Spawn(self->executor,
          ServeHttp1(std::move(ours), 0, [self](const ServedRequest& request) {
            return self->Answer(request.head);
          }));
    co_return std::move(theirs);
  }

  asio::any_io_executor executor;
  StubRoutes routes;
  std::map<std::string, std::size_t> turns;
  int error = 0;
};

StubServer::StubServer(asio::any_io_executor executor, StubRoutes routes)
    : state_(std::make_shared<State>(
          State{std::move(executor), std::move(routes), {}, 0})) {}

StubServer::~StubServer() = default;

RelayWire::Dialer StubServer::dialer() {
  return [state = state_] { return State::Dial(state); };
}

void StubServer::SetError(int status) { state_->error = status; }
void StubServer::Restart() { state_->turns.clear(); }

}  // namespace assay::wires
