# tidemark_module(<name>
#   HEADERS <door headers>       what other modules may include
#   SOURCES <files>              listed, never globbed
#   DEPS <modules>               the only modules it may include (tools/check_layers.py holds it to this)
#   PRIVATE_LIBS <libraries>     third-party libraries that this module is the home of
#   TESTS <files>                unit tests: foo_test.cpp beside foo.cpp
#   COST <seconds>               of the tests on a core under a sanitizer, about: ctest begins with the longest
#   EXHAUSTIVE                   some tests draw fewer cases under sanitizers: ./test runs them in the release build, too
#   PCH <headers>                precompiled, beside the standard ones: what nearly every file of it includes
#   TEST_PCH <headers>           the same for the tests, beside gmock
# )
# Gives the static library tidemark::<name> and, with TESTS, the program <name>_test with the ctest label "unit".
function(tidemark_module name)
  cmake_parse_arguments(arg "EXHAUSTIVE" "COST" "HEADERS;SOURCES;DEPS;PRIVATE_LIBS;PUBLIC_LIBS;TESTS;PCH;TEST_PCH" ${ARGN})
  add_library(tidemark_${name} STATIC ${arg_SOURCES})
  add_library(tidemark::${name} ALIAS tidemark_${name})
  target_sources(tidemark_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${arg_HEADERS})
  target_include_directories(tidemark_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM arg_DEPS PREPEND tidemark::)
  target_link_libraries(tidemark_${name} PUBLIC ${arg_DEPS} ${arg_PUBLIC_LIBS} PRIVATE ${arg_PRIVATE_LIBS})
  if(name STREQUAL "base" OR arg_PCH)
    target_precompile_headers(tidemark_${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/std_pch.h ${arg_PCH})
  else()
    target_precompile_headers(tidemark_${name} REUSE_FROM tidemark_base)
  endif()
  if(arg_TESTS)
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE tidemark::${name} ${arg_PRIVATE_LIBS} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE TIDEMARK_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    if(arg_TEST_PCH)
      target_precompile_headers(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/cmake/test_pch.h ${arg_TEST_PCH})
    else()
      target_precompile_headers(${name}_test REUSE_FROM tidemark_test_pch)
    endif()
    if(arg_EXHAUSTIVE)
      set(exhaustive EXHAUSTIVE)
    endif()
    tidemark_unit_test(${name}_test COST ${arg_COST} ${exhaustive})
  endif()
endfunction()

# tidemark_unit_test(<program> [COST <seconds>] [TIMEOUT <seconds>] [EXHAUSTIVE])
# Runs the program under ctest with the label "unit"; with EXHAUSTIVE also "exhaustive". The target unit_tests builds all of
# them, programs builds those with EXHAUSTIVE and all that are no unit tests.
function(tidemark_unit_test program)
  cmake_parse_arguments(arg "EXHAUSTIVE" "COST;TIMEOUT" "" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  if(NOT arg_COST)
    set(arg_COST 1)
  endif()
  add_test(NAME ${program} COMMAND ${program} --gtest_brief=1)
  set_tests_properties(${program} PROPERTIES LABELS unit TIMEOUT ${arg_TIMEOUT} COST ${arg_COST})
  add_dependencies(unit_tests ${program})
  if(arg_EXHAUSTIVE)
    set_property(TEST ${program} APPEND PROPERTY LABELS exhaustive)
    add_dependencies(programs ${program})
  endif()
endfunction()

add_custom_target(unit_tests)
add_custom_target(programs)

# The precompiled headers of all unit tests.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/test_pch.cpp CONTENT "")
add_library(tidemark_test_pch OBJECT ${CMAKE_BINARY_DIR}/test_pch.cpp)
target_link_libraries(tidemark_test_pch PRIVATE GTest::gmock Threads::Threads)
target_precompile_headers(tidemark_test_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/test_pch.h)
