#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>

#include "tests/sandbox/sandbox_test.h"

namespace assay::sandbox {
namespace {

// The wires' ground: sockets of ours inside a cell's network namespace.
class SocketTest : public SandboxTest {
 protected:
  static ProcessSpec Python(std::string program) {
    return {.name = "python",
            .arguments = {"/usr/bin/python3", "-c", std::move(program)}};
  }
  static std::string ReadAll(int fd) {
    std::string all;
    char buffer[4096];
    while (true) {
      pollfd wait = {fd, POLLIN, 0};
      if (::poll(&wait, 1, 5000) != 1) return all + "(timed out)";
      const ssize_t n = ::read(fd, buffer, sizeof(buffer));
      if (n <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(n));
    }
  }
};
ASSAY_SANDBOX_SUITE(SocketTest);

TEST_P(SocketTest, ServiceInTheCellAnswersUs) {
  Session session = NewSession(SessionOf(CellOf(
      {Python("import socket; s = socket.create_server(('127.0.0.1', 8080)); "
              "print('up', flush=True); c = s.accept()[0]; "
              "c.sendall(c.recv(99).upper())")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_EQ(cell->Connect(8080).error().code, Code::kUnavailable);
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  Expected<UniqueFd> socket = Unavailable("not yet");
  // One that is still connecting may yet be refused.
  ASSERT_TRUE(Eventually([&] {
    socket = cell->Connect(8080);
    if (!socket) return false;
    pollfd wait = {socket->get(), POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof(error);
    return ::poll(&wait, 1, 5000) == 1 &&
           ::getsockopt(socket->get(), SOL_SOCKET, SO_ERROR, &error, &size) ==
               0 &&
           error == 0;
  }));
  ASSERT_EQ(::write(socket->get(), "hello", 5), 5);
  EXPECT_EQ(ReadAll(socket->get()), "HELLO");
}

TEST_P(SocketTest, ProgramReachesOurListenerAlsoAfterARestart) {
  Session session = NewSession(SessionOf(
      CellOf({Python("import socket; s = socket.create_connection(('127.0.0.1',"
                     " 5432)); s.sendall(b'query')")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto listener = cell->Listen(5432);
  ASSERT_TRUE(listener) << listener.error();
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = RunIn(*cell);
    EXPECT_TRUE(outcome.termination.Succeeded()) << outcome.err;
    const UniqueFd peer(::accept(listener->get(), nullptr, nullptr));
    ASSERT_TRUE(peer);
    EXPECT_EQ(ReadAll(peer.get()), "query");
  }
}

TEST_P(SocketTest, ListenersOfCellsAndOfTheHostAreApart) {
  SessionSpec spec = SessionOf(CellOf({Shell("true")}));
  Session session = NewSession(spec);
  auto one = session.StartCell(0);
  auto two = session.StartCell(0);
  ASSERT_TRUE(one && two);
  // The same port in both, a privileged one too.
  EXPECT_TRUE(one->Listen(80));
  auto listener = two->Listen(80);
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_EQ(two->Listen(80).error().code, Code::kFailedPrecondition);
  // From the second cell only the second one's is reached.
  auto socket = two->Connect(80);
  ASSERT_TRUE(socket) << socket.error();
  pollfd wait = {listener->get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 1000), 1);
}

TEST_P(SocketTest, UnixSocketsReachInBothDirections) {
  Session session = NewSession(SessionOf(
      CellOf({Python("import socket; s = socket.socket(socket.AF_UNIX); "
                     "s.bind('\\0served'); s.listen(); "
                     "o = socket.socket(socket.AF_UNIX); o.connect('\\0ours'); "
                     "o.sendall(b'up'); c = s.accept()[0]; "
                     "c.sendall(c.recv(99).upper())")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_EQ(cell->ConnectUnix("served").error().code, Code::kUnavailable);
  auto listener = cell->ListenUnix("ours");
  ASSERT_TRUE(listener) << listener.error();
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  pollfd wait = {listener->get(), POLLIN, 0};
  ASSERT_EQ(::poll(&wait, 1, 10'000), 1);
  const UniqueFd peer(::accept(listener->get(), nullptr, nullptr));
  char up[2];
  ASSERT_EQ(::recv(peer.get(), up, 2, MSG_WAITALL), 2);
  auto socket = cell->ConnectUnix("served");
  ASSERT_TRUE(socket) << socket.error();
  ASSERT_EQ(::write(socket->get(), "hello", 5), 5);
  EXPECT_EQ(ReadAll(socket->get()), "HELLO");
}

TEST_P(SocketTest, UnixSocketsByPathReachInBothDirections) {
  Session session = NewSession(SessionOf(CellOf(
      {Python("import socket, os; s = socket.socket(socket.AF_UNIX); "
              "os.mkdir('/tmp/d'); s.bind('/tmp/d/served'); s.listen(); "
              "o = socket.socket(socket.AF_UNIX); o.connect('/dev/shm/ours'); "
              "o.sendall(b'up'); c = s.accept()[0]; "
              "c.sendall(c.recv(99).upper())")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_EQ(cell->ConnectUnix("/tmp/d/served").error().code, Code::kNotFound);
  auto listener = cell->ListenUnix("/dev/shm/ours");
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_EQ(cell->ListenUnix("/dev/shm/ours").error().code,
            Code::kFailedPrecondition);
  auto process = cell->Start(0);
  ASSERT_TRUE(process) << process.error();
  pollfd wait = {listener->get(), POLLIN, 0};
  ASSERT_EQ(::poll(&wait, 1, 10'000), 1);
  const UniqueFd peer(::accept(listener->get(), nullptr, nullptr));
  char up[2];
  ASSERT_EQ(::recv(peer.get(), up, 2, MSG_WAITALL), 2);
  auto socket = cell->ConnectUnix("/tmp/d/served");
  ASSERT_TRUE(socket) << socket.error();
  ASSERT_EQ(::write(socket->get(), "hello", 5), 5);
  EXPECT_EQ(ReadAll(socket->get()), "HELLO");
  EXPECT_TRUE(process->Wait()->Succeeded());
  // Its file outlives it.
  EXPECT_EQ(cell->ConnectUnix("/tmp/d/served").error().code,
            Code::kUnavailable);
}

// Whoever writes in the cell does not get the launcher to go elsewhere.
TEST_P(SocketTest, UnixSocketsByPathStayInTheCellsOwnFolders) {
  const TempDirectory host;
  const UniqueFd outside(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  const std::string name = host.path() + "/s";
  ASSERT_LT(name.size(), sizeof(address.sun_path));
  name.copy(address.sun_path, name.size());
  ASSERT_EQ(::bind(outside.get(), reinterpret_cast<const sockaddr*>(&address),
                   sizeof(address)),
            0);
  ASSERT_EQ(::listen(outside.get(), 8), 0);
  ::chmod(host.path().c_str(), 0777);
  ::chmod(name.c_str(), 0777);
  CellSpec spec =
      CellOf({Shell("ln -s /host/s /tmp/link; ln -s / /tmp/up; echo > /tmp/f; "
                    "ln -s " +
                    host.path() + " /tmp/folder")});
  spec.mounts = {BindMount{.source = {.path = host.path()},
                           .target = "/host",
                           .writable = AllowHostWrites{}}};
  Session session = NewSession(SessionOf(spec));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  ASSERT_TRUE(RunIn(*cell).termination.Succeeded());
  for (const std::string& path :
       {std::string("/host/s"), std::string("/tmp/link"),
        std::string("/tmp/up/host/s"), std::string("/tmp/../host/s"),
        std::string("/tmp/folder/s"), std::string("/tmp/../../..") + name,
        std::string("/proc/self/root") + name, name}) {
    EXPECT_FALSE(cell->ConnectUnix(path)) << path;
  }
  EXPECT_EQ(cell->ConnectUnix("/tmp/f").error().code, Code::kUnavailable);
  for (const std::string path :
       {"/host/new", "/tmp/folder/new", "/tmp/up/host/new", "/tmp/link",
        "/tmp/..", "/tmp/", "/usr/new"}) {
    EXPECT_FALSE(cell->ListenUnix(path)) << path;
  }
  pollfd wait = {outside.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
  EXPECT_FALSE(std::filesystem::exists(host.path() + "/new"));
}

TEST_P(SocketTest, UnixSocketsOfCellsAreApart) {
  Session session = NewSession(SessionOf(CellOf({Shell("true")})));
  auto one = session.StartCell(0);
  auto two = session.StartCell(0);
  ASSERT_TRUE(one && two);
  const auto held = one->ListenUnix("name");
  ASSERT_TRUE(held) << held.error();
  EXPECT_TRUE(one->ConnectUnix("name"));
  EXPECT_EQ(two->ConnectUnix("name").error().code, Code::kUnavailable);
  EXPECT_EQ(one->ListenUnix("").error().code, Code::kInvalidArgument);
  EXPECT_EQ(one->ListenUnix(std::string(108, 'x')).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(one->OpenSocket(AF_UNIX, SOCK_DGRAM).error().code,
            Code::kInvalidArgument);
}

TEST_P(SocketTest, IpV6LoopbackWorks) {
  Session session = NewSession(SessionOf(CellOf({Shell("true")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  auto listener = cell->Listen(8080, AF_INET6);
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_TRUE(cell->Connect(8080, AF_INET6));
}

TEST_P(SocketTest, HostsLoopbackIsOutOfReach) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address),
                   sizeof(address)),
            0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  socklen_t size = sizeof(address);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const Outcome outcome = Run(
      CellOf({Python("import socket; socket.create_connection(('127.0.0.1', " +
                     std::to_string(ntohs(address.sin_port)) + "), 1)")}));
  EXPECT_THAT(outcome.err, testing::HasSubstr("ConnectionRefusedError"));
}

TEST_P(SocketTest, OtherFamiliesAndTypesAreRefused) {
  Session session = NewSession(SessionOf(CellOf({Shell("true")})));
  auto cell = session.StartCell(0);
  ASSERT_TRUE(cell) << cell.error();
  EXPECT_EQ(cell->OpenSocket(AF_NETLINK).error().code, Code::kInvalidArgument);
  EXPECT_EQ(cell->OpenSocket(AF_INET, SOCK_RAW).error().code,
            Code::kInvalidArgument);
  EXPECT_TRUE(cell->OpenSocket(AF_INET, SOCK_DGRAM));
}

}  // namespace
}  // namespace assay::sandbox
