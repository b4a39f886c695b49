#ifndef ASSAY_TESTS_SANDBOX_HOSTILE_ATTEMPTS_H_
#define ASSAY_TESTS_SANDBOX_HOSTILE_ATTEMPTS_H_

#include <unistd.h>

#include <cstring>

// A hostile program is a table of named attempts; argv[1] picks one. What an
// attempt says about itself counts for nothing: the tests look from outside.
struct Attempt {
  const char* name;
  void (*run)();
};

// Tells the test that the attempt has been made, and stands still to be looked
// at.
[[noreturn]] inline void DoneAndWait() {
  if (::write(STDOUT_FILENO, "done\n", 5) != 5) ::_exit(1);
  while (true) ::pause();
}

template <int N>
int RunAttempt(const Attempt (&attempts)[N], int argc, char** argv) {
  for (const Attempt& attempt : attempts) {
    if (argc > 1 && std::strcmp(argv[1], attempt.name) == 0) {
      attempt.run();
      return 0;
    }
  }
  return 99;
}

#endif  // ASSAY_TESTS_SANDBOX_HOSTILE_ATTEMPTS_H_
