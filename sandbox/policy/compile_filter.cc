// Writes the seccomp filter of a cell as a table of BPF instructions. Runs at
// build time, so that the launcher neither links libseccomp nor spends a
// millisecond on it. libseccomp only knows the numbers: its own compiler
// compares call by call, and a filter three times as long takes three times as
// long to install, once for every process.
//
// The policy is an allow-list. A refused call that programs probe for answers
// EPERM (kRefused), one that must look absent answers ENOSYS (clone3, whose
// flags a filter cannot see, and everything that is in neither list, such as
// calls newer than this file). Another architecture's calls (int 80, x32) kill
// the process.

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/policy/system_calls.h"

namespace {

using assay::sandbox::kAllowed;
using assay::sandbox::kRefused;

constexpr std::uint32_t kNewNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
    CLONE_NEWUTS | CLONE_NEWCGROUP;

[[noreturn]] void Die(std::string_view what, int error) {
  std::fprintf(stderr, "compile_filter: %.*s: error %d\n",
               static_cast<int>(what.size()), what.data(), error);
  std::exit(1);
}

using Code = std::vector<sock_filter>;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kAbsent = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint32_t kDeny = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kNoFamily = SECCOMP_RET_ERRNO | EAFNOSUPPORT;

sock_filter Statement(int code, std::uint32_t k) {
  return BPF_STMT(static_cast<unsigned short>(code), k);
}
sock_filter Return(std::uint32_t action) {
  return Statement(BPF_RET | BPF_K, action);
}
sock_filter Jump(int test, std::uint32_t k, std::size_t yes, std::size_t no) {
  return BPF_JUMP(static_cast<unsigned short>(BPF_JMP | test | BPF_K), k,
                  static_cast<unsigned char>(yes),
                  static_cast<unsigned char>(no));
}
sock_filter Load(std::size_t offset) {
  return Statement(BPF_LD | BPF_W | BPF_ABS,
                   static_cast<std::uint32_t>(offset));
}
// The lower half of an argument: the kernel takes these as int and ignores the
// rest, so a filter that looked at it could be walked around.
sock_filter LoadLow(std::size_t argument) {
  static_assert(std::endian::native == std::endian::little);
  return Load(offsetof(seccomp_data, args) + argument * 8);
}

void Append(Code& code, const Code& more) {
  code.insert(code.end(), more.begin(), more.end());
}

// Returns `then` if argument 0 is one of `values`, else `otherwise`.
Code OneOf(std::size_t argument, const std::vector<std::uint32_t>& values,
           std::uint32_t then, std::uint32_t otherwise) {
  Code code = {LoadLow(argument)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    code.push_back(Jump(BPF_JEQ, values[i], values.size() - i, 0));
  }
  Append(code, {Return(otherwise), Return(then)});
  return code;
}

// AF_VSOCK ignores network namespaces and reaches the host; netlink beyond
// routing is a large attack surface. Whatever is not listed looks absent.
Code Sockets() {
  return {LoadLow(0),
          Jump(BPF_JEQ, AF_UNIX, 5, 0),
          Jump(BPF_JEQ, AF_INET, 4, 0),
          Jump(BPF_JEQ, AF_INET6, 3, 0),
          Jump(BPF_JEQ, AF_NETLINK, 0, 3),
          LoadLow(2),
          Jump(BPF_JEQ, NETLINK_ROUTE, 0, 1),
          Return(kAllow),
          Return(kNoFamily)};
}

// What a call leads to: code that ends in returns.
using Table = std::map<int, Code>;

int NumberOf(std::string_view name) {
  const int number = ::seccomp_syscall_resolve_name(std::string(name).c_str());
  if (number == __NR_SCMP_ERROR) {
    Die("unknown system call " + std::string(name), 0);
  }
  // Negative: this architecture does not have it.
  return number;
}

void Put(Table& table, std::string_view name, Code code) {
  const int number = NumberOf(name);
  if (number < 0) return;
  if (!table.emplace(number, std::move(code)).second) {
    Die("listed twice: " + std::string(name), 0);
  }
}

void PutList(Table& table, std::string_view names, std::uint32_t action) {
  while (!names.empty()) {
    const auto space = names.find(' ');
    Put(table, names.substr(0, space), {Return(action)});
    if (space == std::string_view::npos) return;
    names.remove_prefix(space + 1);
  }
}

Table MakeTable() {
  Table table;
  PutList(table, kAllowed, kAllow);
  PutList(table, kRefused, kDeny);
  Put(table, "socket", Sockets());
  Put(table, "socketpair", OneOf(0, {AF_UNIX}, kAllow, kNoFamily));
  Put(table, "clone",
      {LoadLow(0), Jump(BPF_JSET, kNewNamespaces, 0, 1), Return(kDeny),
       Return(kAllow)});
  // Faking terminal input.
  Put(table, "ioctl", OneOf(1, {TIOCSTI, TIOCLINUX}, kDeny, kAllow));
  Put(table, "personality",
      OneOf(0, {PER_LINUX, PER_LINUX32, 0xffffffff}, kAllow, kDeny));
  return table;
}

// Neighbouring numbers that lead to the same code. The last range has no end.
struct Range {
  std::uint32_t first;
  Code code;
};

bool Same(const Code& a, const Code& b) {
  return a.size() == 1 && b.size() == 1 && a[0].k == b[0].k;
}

std::vector<Range> MakeRanges(const Table& table) {
  std::vector<Range> ranges;
  const Code absent = {Return(kAbsent)};
  for (int number = 0; number <= table.rbegin()->first + 1; ++number) {
    const auto it = table.find(number);
    const Code& code = it == table.end() ? absent : it->second;
    if (ranges.empty() || !Same(ranges.back().code, code)) {
      ranges.push_back({static_cast<std::uint32_t>(number), code});
    }
  }
  return ranges;
}

// A binary search: seven or eight comparisons for each call, and a third of the
// instructions of one comparison per call.
Code Search(std::span<const Range> ranges) {
  if (ranges.size() == 1) return ranges[0].code;
  const auto middle = ranges.size() / 2;
  const Code low = Search(ranges.first(middle));
  const Code high = Search(ranges.subspan(middle));
  Code code;
  if (low.size() <= 0xff) {
    code.push_back(Jump(BPF_JGE, ranges[middle].first, low.size(), 0));
  } else {
    code.push_back(Jump(BPF_JGE, ranges[middle].first, 0, 1));
    code.push_back(
        Statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(low.size())));
  }
  Append(code, low);
  Append(code, high);
  return code;
}

Code MakeFilter() {
#ifdef __x86_64__
  constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
  constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
  // x32 calls share x86-64's architecture and begin here.
  constexpr std::uint32_t kX32 = 0x40000000;
  Code code = {
      Load(offsetof(seccomp_data, arch)), Jump(BPF_JEQ, kArchitecture, 1, 0),
      Return(SECCOMP_RET_KILL_PROCESS),   Load(offsetof(seccomp_data, nr)),
      Jump(BPF_JGE, kX32, 0, 1),          Return(SECCOMP_RET_KILL_PROCESS)};
  Append(code, Search(MakeRanges(MakeTable())));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) Die("usage: compile_filter OUTPUT", 0);
  std::FILE* out = std::fopen(argv[1], "w");
  if (out == nullptr) Die("open the output", errno);
  for (const auto& instruction : MakeFilter()) {
    std::fprintf(out, "{0x%x, %u, %u, 0x%x},\n", instruction.code,
                 instruction.jt, instruction.jf, instruction.k);
  }
  return std::fclose(out) == 0 ? 0 : 1;
}
