# Flags every target gets. Sanitizer flags are global: mixed objects give false reports.
add_compile_options(-Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Werror -Wthread-safety
                    -Wno-missing-designated-field-initializers
                    -Wno-align-mismatch)  # bson_t loses its alignment as a template argument; libbson allocates it right
add_link_options(-fuse-ld=lld)

if(TIDEMARK_SANITIZE)
  add_compile_options(-fsanitize=${TIDEMARK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TIDEMARK_SANITIZE})
endif()
if(TIDEMARK_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(TIDEMARK_CCACHE ccache)
if(TIDEMARK_CCACHE)
  # The sloppiness is what clang's precompiled headers need; -fno-pch-timestamp makes them reproducible.
  set(launcher ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${TIDEMARK_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
