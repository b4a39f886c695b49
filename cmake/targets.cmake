# How targets are declared. One static library per leaf folder, sources named
# one by one, one test program per library.

include(CMakeParseArguments)
include(GoogleTest)

# Asio's headers cost seconds a file; whoever includes them says PCH asio. The
# precompiled header is off by default: it cannot be shared by ccache between
# checkouts, which saves more.
option(ASSAY_PCH "Precompile Asio's headers" OFF)
file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cc "")
if(ASSAY_PCH)
  add_library(assay_pch_asio OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cc)
  target_link_libraries(assay_pch_asio PRIVATE Boost::headers Threads::Threads)
  target_precompile_headers(assay_pch_asio PRIVATE
    <chrono> <functional> <memory> <string> <string_view> <vector> <map> <optional>
    <boost/asio.hpp> <boost/asio/experimental/parallel_group.hpp>)
  target_compile_options(assay_pch_asio PRIVATE -Xclang -fno-pch-timestamp)
endif()

function(assay_apply_pch target kind)
  if(kind STREQUAL "asio" AND NOT ASSAY_PCH)
    target_link_libraries(${target} PRIVATE Boost::headers Threads::Threads)
  elseif(kind STREQUAL "asio")
    target_precompile_headers(${target} REUSE_FROM assay_pch_asio)
    target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)
    target_link_libraries(${target} PRIVATE Threads::Threads)
  elseif(kind)
    message(FATAL_ERROR "unknown PCH kind ${kind}")
  endif()
endfunction()

# assay_library(NAME [PCH asio] SOURCES a.cc... [DEPS targets...] [PRIVATE_DEPS ...])
# Headers are included from the root: #include "services/storage/store.h".
function(assay_library name)
  cmake_parse_arguments(A "" "PCH" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${A_DEPS} PRIVATE ${A_PRIVATE_DEPS})
  assay_apply_pch(${name} "${A_PCH}")
endfunction()

# What people run, without the tests.
add_custom_target(programs)

# assay_program(NAME [PCH asio] SOURCES ... DEPS ...): a program in bin/.
function(assay_program name)
  cmake_parse_arguments(A "" "PCH" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_DEPS})
  assay_apply_pch(${name} "${A_PCH}")
  add_dependencies(programs ${name})
endfunction()

# Every test program labelled unit: what the sanitizers' build needs.
add_custom_target(unit_tests)

# assay_test(NAME [PCH asio] [LABELS unit...] [TIMEOUT s] SOURCES ... DEPS ... [ENV K=V...])
# The default label is unit. One ctest entry per test case.
function(assay_test name)
  cmake_parse_arguments(A "" "PCH;TIMEOUT" "SOURCES;DEPS;LABELS;ENV" ${ARGN})
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
  assay_apply_pch(${name} "${A_PCH}")
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
