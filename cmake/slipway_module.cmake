# slipway_module(<name> SOURCES a.cpp ... [TESTS a_test.cpp ...] [DEPS target ...] [TEST_DEPS target ...])
#
# One folder of src/ = one static library `slipway_<name>`. TESTS need nothing outside the process; they become the
# program `<name>_test`, label `unit`.
function(slipway_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;DEPS;TEST_DEPS" ${ARGN})
  set(target slipway_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${target} PUBLIC ${ARG_DEPS} fmt::fmt Threads::Threads)
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${target} INTERFACE ${ARG_DEPS} fmt::fmt Threads::Threads)
  endif()
  if(SLIPWAY_TESTS AND ARG_TESTS)
    slipway_test(${name}_test LABEL unit SOURCES ${ARG_TESTS} DEPS ${target} ${ARG_TEST_DEPS})
  endif()
endfunction()

# Tests find files of the repository below $SLIPWAY_SOURCE_DIR (a definition would make every clone compile anew).
# slipway_test(<program> LABEL <unit|with_kafka|...> SOURCES ... DEPS ...)
function(slipway_test program)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPS" ${ARGN})
  add_executable(${program} ${ARG_SOURCES})
  target_include_directories(${program} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
  target_link_libraries(${program} PRIVATE ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  if(ARG_LABEL STREQUAL unit)
    add_dependencies(unit_tests ${program})
  endif()
  gtest_discover_tests(${program} PROPERTIES LABELS ${ARG_LABEL}
                       ENVIRONMENT SLIPWAY_SOURCE_DIR=${CMAKE_SOURCE_DIR} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
endfunction()
