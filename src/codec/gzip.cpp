#include "codec/gzip.h"

#include <algorithm>
#include <utility>

#include <isa-l.h>

#include "base/error.h"

namespace tidemark::codec {
namespace {

constexpr std::size_t kFraming = 1024;  // bytes: gzip and deflate headers, generously
constexpr int kLevel = 1;               // 1 of 0..3; docs/performance.md, "Archives"

}  // namespace

struct Gzip::State {
  isal_zstream stream;
  Bytes level_buffer = Bytes(ISAL_DEF_LVL1_DEFAULT);
  // What a member is made in, so that it holds no more than its bytes while it waits.
  std::unique_ptr<std::uint8_t[]> scratch;
  std::size_t scratch_size = 0;

  // Larger than `used`, which is kept.
  void GrowScratch(std::size_t used, std::size_t size) {
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    std::copy_n(scratch.get(), used, larger.get());
    scratch = std::move(larger);
    scratch_size = size;
  }
};

Gzip::Gzip() : state_(std::make_unique<State>()) {}

Gzip::~Gzip() = default;

Bytes Gzip::Member(ByteView plain) {
  isal_zstream& stream = state_->stream;
  isal_deflate_init(&stream);
  stream.level = kLevel;
  stream.level_buf = state_->level_buffer.data();
  stream.level_buf_size = static_cast<std::uint32_t>(state_->level_buffer.size());
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  stream.next_in = const_cast<std::uint8_t*>(plain.data());  // the library only reads it
  stream.avail_in = static_cast<std::uint32_t>(plain.size());
  // What the compressor does with what cannot be compressed depends on where its output ends: so
  // that is a matter of this member only, whatever the buffer has grown to.
  std::size_t limit = plain.size() / 2 + kFraming;
  std::size_t used = 0;
  do {
    if (used == limit) {
      limit += limit / 2;
    }
    if (limit > state_->scratch_size) {
      state_->GrowScratch(used, limit);
    }
    stream.next_out = state_->scratch.get() + used;
    stream.avail_out = static_cast<std::uint32_t>(limit - used);
    if (isal_deflate(&stream) != COMP_OK) {
      throw Error(ErrorCode::kInternal, "compressing: the compressor refused its arguments");
    }
    used = limit - stream.avail_out;
  } while (stream.internal_state.state != ZSTATE_END);
  return Bytes(state_->scratch.get(), state_->scratch.get() + used);
}

std::uint32_t Crc32(ByteView bytes) {
  return crc32_gzip_refl(0, bytes.data(), bytes.size());
}

std::uint64_t Crc64(std::uint64_t crc, ByteView bytes) {
  return crc64_ecma_refl(crc, bytes.data(), bytes.size());
}

}  // namespace tidemark::codec
