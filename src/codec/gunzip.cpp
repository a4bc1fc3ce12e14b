#include "codec/gunzip.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "base/error.h"

namespace tidemark::codec {

struct Gunzip::State {
  z_stream stream{};
  bool at_end_of_member = false;
};

namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib.h, inflateInit2: 32 KiB, gzip only

uInt Clamp(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

[[noreturn]] void ThrowBad(const z_stream& stream) {
  throw Error(
      ErrorCode::kCorrupt,
      std::string("unpacking gzip: ") + (stream.msg == nullptr ? "it is damaged" : stream.msg));
}

}  // namespace

Gunzip::Gunzip() : state_(std::make_unique<State>()) {
  if (inflateInit2(&state_->stream, kGzipWindow) != Z_OK) {
    throw Error(ErrorCode::kResourceExhausted, "unpacking gzip: no memory");
  }
}

Gunzip::~Gunzip() {
  inflateEnd(&state_->stream);
}

Gunzip::Step Gunzip::Run(ByteView from, std::span<std::uint8_t> to) {
  if (from.empty() || to.empty()) {
    return {};
  }
  z_stream& stream = state_->stream;
  if (state_->at_end_of_member) {
    inflateReset(&stream);
    state_->at_end_of_member = false;
  }
  stream.next_in = const_cast<Bytef*>(from.data());  // zlib does not write to it
  stream.avail_in = Clamp(from.size());
  stream.next_out = to.data();
  stream.avail_out = Clamp(to.size());
  const int result = inflate(&stream, Z_NO_FLUSH);
  if (result != Z_OK && result != Z_STREAM_END) {
    ThrowBad(stream);
  }
  state_->at_end_of_member = result == Z_STREAM_END;
  return {Clamp(from.size()) - stream.avail_in, Clamp(to.size()) - stream.avail_out};
}

bool Gunzip::AtEndOfMember() const {
  return state_->at_end_of_member;
}

}  // namespace tidemark::codec
