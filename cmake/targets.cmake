# How targets are declared. One static library per leaf folder, sources named
# one by one, one test program per library.

include(CMakeParseArguments)
include(GoogleTest)

# The headers that most files include are compiled once: half of a file's time
# goes into them. Off pays where several checkouts share one ccache, which cannot
# share what was compiled with a precompiled header; the environment's ASSAY_PCH
# sets the default for such a machine.
set(default_pch ON)
if(DEFINED ENV{ASSAY_PCH})
  set(default_pch $ENV{ASSAY_PCH})
endif()
option(ASSAY_PCH "Precompile the headers that most files include" ${default_pch})
file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cc "")

# Code of tests is run once: optimising it costs more than it saves. What is
# tested is compiled as everywhere.
set(assay_test_options $<$<CONFIG:Release>:-O0> $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>)

# assay_precompile(NAME headers...): what REUSE_FROM names. Whoever reuses it has
# the same language options, so -pthread goes to everything.
function(assay_precompile name)
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cc)
  target_compile_definitions(${name} PRIVATE FMT_SHARED)
  target_compile_options(${name} PRIVATE -Xclang -fno-pch-timestamp)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

if(ASSAY_PCH)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-pthread>)
  set(code_headers
    <algorithm> <array> <atomic> <chrono> <cstdint> <cstdlib> <cstring> <deque> <filesystem> <fstream>
    <functional> <map> <memory> <mutex> <optional> <set> <sstream> <string> <string_view> <thread>
    <unordered_map> <utility> <variant> <vector>
    <boost/asio.hpp> <boost/asio/experimental/parallel_group.hpp> <fmt/format.h>
    <google/protobuf/message.h> <google/protobuf/map_field.h>
    <google/protobuf/generated_message_reflection.h>)
  assay_precompile(assay_pch_code ${code_headers})
  assay_precompile(assay_pch_test ${code_headers} <gmock/gmock.h> <gtest/gtest.h>)
  target_compile_definitions(assay_pch_test PRIVATE GTEST_HAS_PTHREAD=1)
  target_compile_options(assay_pch_test PRIVATE ${assay_test_options})
endif()

# The cells' programs are small and static, and stay as they are.
function(assay_apply_pch target header)
  target_link_libraries(${target} PRIVATE Boost::headers Threads::Threads)
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT ASSAY_PCH OR folder MATCHES "^(sandbox|proto|tests/sandbox/hostile)")
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${header})
  target_compile_definitions(${target} PRIVATE FMT_SHARED)
  target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)
endfunction()

# assay_library(NAME SOURCES a.cc... [DEPS targets...] [PRIVATE_DEPS ...])
# Headers are included from the root: #include "services/storage/store.h".
function(assay_library name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${A_DEPS} PRIVATE ${A_PRIVATE_DEPS})
  assay_apply_pch(${name} assay_pch_code)
endfunction()

# What people run, without the tests.
add_custom_target(programs)

# assay_program(NAME SOURCES ... DEPS ...): a program in bin/.
function(assay_program name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_DEPS})
  assay_apply_pch(${name} assay_pch_code)
  add_dependencies(programs ${name})
endfunction()

# Every test program labelled unit: what the sanitizers' build needs.
add_custom_target(unit_tests)

# assay_test(NAME [LABELS unit...] [TIMEOUT s] SOURCES ... DEPS ... [ENV K=V...])
# The default label is unit. One ctest entry per test case.
function(assay_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;DEPS;LABELS;ENV" ${ARGN})
  if(NOT A_LABELS)
    set(A_LABELS unit)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 60)
  endif()
  add_executable(${name} ${A_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${assay_test_options})
  assay_apply_pch(${name} assay_pch_test)
  # gtest_discover_tests flattens lists three times over until the property is
  # set; so many backslashes leave one separator each time.
  set(environment ASSAY_SOURCE_DIR=${CMAKE_SOURCE_DIR} ASSAY_BIN_DIR=${CMAKE_BINARY_DIR}/bin ${A_ENV})
  string(REPLACE ";" "\\\\\\\\\\\\\\;" environment "${environment}")
  string(REPLACE ";" "\\\\\\\\\\\\\\;" labels "${A_LABELS}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}."
    PROPERTIES LABELS "${labels}" TIMEOUT ${A_TIMEOUT} ENVIRONMENT "${environment}")
  set_property(GLOBAL APPEND PROPERTY ASSAY_TEST_PROGRAMS ${name})
  if("unit" IN_LIST A_LABELS)
    add_dependencies(unit_tests ${name})
  endif()
endfunction()

# Every fuzz target: tests/fuzz/run builds them.
add_custom_target(fuzzers)

# assay_fuzzer(NAME SOURCES ... DEPS ...): built with ASSAY_FUZZ only.
function(assay_fuzzer name)
  if(NOT ASSAY_FUZZ)
    return()
  endif()
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_DEPS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})
  set_property(GLOBAL APPEND PROPERTY ASSAY_FUZZERS ${name})
endfunction()
