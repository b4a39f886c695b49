#ifndef ASSAY_TESTS_SANDBOX_POLICY_JUDGE_H_
#define ASSAY_TESTS_SANDBOX_POLICY_JUDGE_H_

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <span>

namespace assay::sandbox {

#ifdef __x86_64__
inline constexpr std::uint32_t kArch = AUDIT_ARCH_X86_64;
#else
inline constexpr std::uint32_t kArch = AUDIT_ARCH_AARCH64;
#endif

// What a filter answers to a call that must fail.
constexpr std::uint32_t Refuse(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

// What the kernel would make of a call: the part of BPF that the filter uses.
inline std::uint32_t Judge(std::span<const sock_filter> filter,
                           const seccomp_data& data) {
  std::uint32_t a = 0;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const sock_filter& f = filter[i];
    switch (f.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + f.k, 4);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        i += a == f.k ? f.jt : f.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        i += a >= f.k ? f.jt : f.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        i += (a & f.k) != 0 ? f.jt : f.jf;
        break;
      case BPF_JMP | BPF_JA:
        i += f.k;
        break;
      case BPF_RET | BPF_K:
        return f.k;
      default:
        ADD_FAILURE() << "unknown instruction " << f.code;
        return 0;
    }
  }
  ADD_FAILURE() << "ran off the end";
  return 0;
}

}  // namespace assay::sandbox

#endif  // ASSAY_TESTS_SANDBOX_POLICY_JUDGE_H_
