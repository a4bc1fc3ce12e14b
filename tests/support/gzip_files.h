#pragma once

#include <zlib.h>

#include "base/bytes.h"
#include "base/error.h"

// What tests have unpacked, made by a library that the code does not pack with.
namespace tidemark {

// One gzip member.
inline Bytes PackGzip(ByteView plain) {
  z_stream stream{};
  TIDEMARK_CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, plain.size()) + 64);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  TIDEMARK_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace tidemark
