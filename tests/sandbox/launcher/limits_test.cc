#include "tests/sandbox/sandbox_test.h"
