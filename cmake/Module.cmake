# tidemark_module(<name>
#   HEADERS <door headers>       what other modules may include
#   SOURCES <files>              listed, never globbed
#   DEPS <modules>               the only modules it may include (tools/check_layers.py holds it to this)
#   PRIVATE_LIBS <libraries>     third-party libraries that this module is the home of
#   TESTS <files>                unit tests: foo_test.cpp beside foo.cpp
# )
# Gives the static library tidemark::<name> and, with TESTS, the program <name>_test with the ctest label "unit".
function(tidemark_module name)
  cmake_parse_arguments(arg "" "" "HEADERS;SOURCES;DEPS;PRIVATE_LIBS;PUBLIC_LIBS;TESTS" ${ARGN})
  add_library(tidemark_${name} STATIC ${arg_SOURCES})
  add_library(tidemark::${name} ALIAS tidemark_${name})
  target_sources(tidemark_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${arg_HEADERS})
  target_include_directories(tidemark_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM arg_DEPS PREPEND tidemark::)
  target_link_libraries(tidemark_${name} PUBLIC ${arg_DEPS} ${arg_PUBLIC_LIBS} PRIVATE ${arg_PRIVATE_LIBS})
  if(name STREQUAL "base")
    target_precompile_headers(tidemark_base PRIVATE ${CMAKE_SOURCE_DIR}/cmake/std_pch.h)
  else()
    target_precompile_headers(tidemark_${name} REUSE_FROM tidemark_base)
  endif()
  if(arg_TESTS)
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE tidemark::${name} ${arg_PRIVATE_LIBS} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE TIDEMARK_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_precompile_headers(${name}_test REUSE_FROM tidemark_base)
    add_test(NAME ${name}_test COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name}_test PROPERTIES LABELS unit TIMEOUT 600)
  endif()
endfunction()
