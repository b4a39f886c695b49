#include "runner/run/wiring.h"

#include <charconv>
#include <chrono>
#include <utility>

#include "runner/wires/dial.h"

namespace assay::run {

using assay::plan::v1::Sidecar;

namespace {

constexpr std::chrono::milliseconds kDialTimeout{2000};

}  // namespace

Wiring::Wiring(boost::asio::any_io_executor executor, Traffic& traffic)
    : executor_(std::move(executor)), traffic_(traffic) {}

Wiring::~Wiring() = default;

void Wiring::Keep(const std::string& target, Wire wire, wires::Network& from,
                  std::uint16_t port) {
  wire.relay().SetListen([&from, port] { return from.Listen(port); });
  wires_[target].push_back(std::move(wire));
}

Status Wiring::LaySidecar(wires::Network& from, const Sidecar& sidecar,
                          wires::Network& to, std::uint16_t port) {
  const auto here = static_cast<std::uint16_t>(sidecar.port());
  ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening, from.Listen(here));
  Wire wire;
  if (sidecar.tapped() && sidecar.kind() == Sidecar::KIND_POSTGRES) {
    wire.postgres = std::make_unique<wires::PostgresTap>(
        executor_, std::move(listening), to, port,
        traffic_.Postgres(sidecar.name()));
  } else if (sidecar.tapped() && sidecar.kind() == Sidecar::KIND_REDIS) {
    wire.redis =
        std::make_unique<wires::RedisTap>(executor_, std::move(listening), to,
                                          port, traffic_.Redis(sidecar.name()));
  } else {
    wire.raw = std::make_unique<wires::RelayWire>(
        executor_, std::move(listening), to, port, nullptr);
  }
  Keep(sidecar.name(), std::move(wire), from, here);
  return {};
}

Status Wiring::LayService(wires::Network& from, const std::string& name,
                          wires::Network& to, std::uint16_t port, bool enters) {
  ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening, from.Listen(port));
  Wire wire;
  wire.http = std::make_unique<wires::HttpTap>(
      executor_, std::move(listening),
      [&to, port] { return wires::Dial(to, port, kDialTimeout); },
      traffic_.Http(name, enters));
  Keep(name, std::move(wire), from, port);
  return {};
}

Expected<std::uint16_t> Wiring::LayFront(wires::Network& cell,
                                         const std::string& name,
                                         std::uint16_t port) {
  ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening, cell.Listen(0));
  const std::uint16_t front = wires::PortOf(listening.get());
  Wire wire;
  wire.raw = std::make_unique<wires::RelayWire>(executor_, std::move(listening),
                                                cell, port, nullptr);
  Keep(name, std::move(wire), cell, front);
  return front;
}

Status Wiring::LayUpstream(wires::Network& from,
                           const assay::plan::v1::Upstream& upstream) {
  auto& stub = stubs_[upstream.name()];
  if (stub == nullptr) {
    ASSAY_ASSIGN_OR_RETURN(wires::StubRoutes routes,
                           wires::ParseStubRoutes(upstream.routes_json()));
    stub = std::make_unique<wires::StubServer>(executor_, std::move(routes));
  }
  const auto port = static_cast<std::uint16_t>(upstream.port());
  ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening, from.Listen(port));
  Wire wire;
  wire.http = std::make_unique<wires::HttpTap>(
      executor_, std::move(listening), stub->dialer(),
      traffic_.Http(upstream.name(), false));
  Keep(upstream.name(), std::move(wire), from, port);
  return {};
}

Status Wiring::SetFaults(const std::string& target,
                         const wires::WireFaults& faults, std::uint64_t seed) {
  const auto stub = stubs_.find(target);
  if (stub != stubs_.end()) {
    int status = 0;
    std::from_chars(faults.error.data(),
                    faults.error.data() + faults.error.size(), status);
    if (!faults.error.empty() && (status < 200 || status > 599)) {
      return InvalidArgument(
          "an upstream answers with a status from 200 to "
          "599, found ",
          faults.error);
    }
    stub->second->SetError(status);
  }
  for (Wire& wire : wires_[target]) {
    if (!faults.error.empty() && stub == stubs_.end() &&
        (wire.postgres == nullptr || faults.error.size() != 5)) {
      return InvalidArgument(
          "the fault `error` is for upstreams, with a status, and for tapped "
          "PostgreSQL sidecars, with an SQLSTATE of five characters");
    }
    ASSAY_RETURN_IF_ERROR(wire.relay().SetFaults(faults, seed));
  }
  return {};
}

void Wiring::DropConnections(const std::string& target) {
  for (Wire& wire : wires_[target]) wire.relay().DropConnections();
}

void Wiring::RestartStubs() {
  for (const auto& [name, stub] : stubs_) stub->Restart();
}

}  // namespace assay::run
