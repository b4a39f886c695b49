#include "tests/sandbox/main/assay_sandbox_test.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_P(AssaySandboxTest, NetNoneHasNoLoopback) {
  EXPECT_EQ(Call("run --net none -- sh -c 'cat /proc/net/route /proc/net/fib_"
                 "trie | grep -c 127.0.0.1'")
                .out,
            "0\n");
}

TEST_P(AssaySandboxTest, EgressReachesWhatIsListedAndNothingElse) {
  // Two servers of this machine's; one of them is listed.
  directory_.Write("serve.py", R"(
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"from outside")
        open("asked%d" % self.server.server_port, "w").close()
    def log_message(self, *words): pass
servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in "ab"]
for server in servers: threading.Thread(target=server.serve_forever, daemon=True).start()
open("ports.new", "w").write("A=%d\nB=%d\n" % tuple(s.server_port for s in servers))
import os; os.rename("ports.new", "ports")
os.read(0, 1)
)");
  directory_.Write("ask.py", R"(
import os, socket, sys, urllib.request
def ask(name, url):
    try:
        print(name, urllib.request.urlopen(url, timeout=5).read().decode())
    except urllib.error.HTTPError as e:
        print(name, e.code)
    except Exception as e:
        print(name, "failed")
a, b = sys.argv[1:]
ask("listed", "http://127.0.0.1:%s/" % a)
ask("other", "http://127.0.0.1:%s/" % b)
s = socket.create_connection(("127.0.0.1", 3128))
s.sendall(b"CONNECT 127.0.0.1:%s HTTP/1.1\r\n\r\n" % a.encode())
print("tunnel", s.recv(99).split(b"\r\n")[0].decode())
for port in a, b:
    try: socket.create_connection(("127.0.0.1", int(port)), 1); print("direct")
    except OSError: print("nothing there")
)");
  const Finished ran = Shell(
      "mkfifo hold; python3 serve.py < hold > /dev/null & exec 9> hold; "
      "while ! [ -e ports ]; do sleep 0.01; done; . ./ports; " +
      AsStarter("run --net egress=127.0.0.1:$A/private --json result --ro "
                "ask.py:/ask.py -- python3 /ask.py $A $B"));
  EXPECT_EQ(ran.out,
            "listed from outside\nother 403\ntunnel HTTP/1.1 200 Connection "
            "established\nnothing there\nnothing there\n")
      << ran.err;
  const json egress = json::parse(ReadFile(directory_.path() + "/result"),
                                  nullptr, false)["egress"];
  ASSERT_EQ(egress.size(), 3u) << egress;
  EXPECT_EQ(egress[0]["status"], 200);
  EXPECT_EQ(egress[0]["address"], "127.0.0.1");
  EXPECT_GT(egress[0]["bytes_down"], 10);
  EXPECT_EQ(egress[1]["status"], 403);
}

TEST_P(AssaySandboxTest, EgressToAPrivateAddressNeedsItsToken) {
  const Finished ran = Call(
      "run --net egress=127.0.0.1:1 -- python3 -c '\n"
      "import urllib.request\n"
      "try: urllib.request.urlopen(\"http://127.0.0.1:1/\")\n"
      "except urllib.error.HTTPError as e: print(e.code, e.read().decode())'");
  EXPECT_THAT(ran.out, HasSubstr("403"));
  EXPECT_THAT(ran.out, HasSubstr("is the loopback address 127.0.0.1"));
}

}  // namespace
}  // namespace assay::sandbox
