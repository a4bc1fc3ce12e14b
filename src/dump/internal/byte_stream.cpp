#include "dump/internal/byte_stream.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "bson/document.h"
#include "dump/internal/limits.h"

namespace tidemark::dump {
namespace {

constexpr std::size_t kBufferSize = 256U << 10;  // bytes
constexpr std::uint32_t kMinDocument = 5;        // bytes: length and terminating zero

}  // namespace

std::size_t FileStream::Read(std::span<std::uint8_t> to) {
  if (stop_.stop_requested()) {
    throw Error(ErrorCode::kCancelled, "reading " + file_.path() + ": cancelled");
  }
  const std::size_t count = file_.Read(position_, to);
  position_ += count;
  if (on_read_) {
    on_read_(position_);
  }
  return count;
}

bool UnpackedStream::Refill() {
  buffer_.resize(kBufferSize);
  rest_ = ByteView(buffer_).first(packed_.Read(buffer_));
  return !rest_.empty();
}

void UnpackedStream::CheckRatio() const {
  if (given_ > limits_.free_bytes && given_ / limits_.ratio > taken_) {
    throw Error(ErrorCode::kResourceExhausted,
                "unpacking gzip: it grows more than " + std::to_string(limits_.ratio) +
                    " times, which no dump does",
                "if it is right, unpack it and import what comes out");
  }
}

std::size_t UnpackedStream::Read(std::span<std::uint8_t> to) {
  while (true) {
    if (rest_.empty() && !Refill()) {
      if (gunzip_.AtEndOfMember()) {
        return 0;
      }
      throw Error(ErrorCode::kCorrupt, "unpacking gzip: it ends early");
    }
    const codec::Gunzip::Step step = gunzip_.Run(rest_, to);
    rest_ = rest_.subspan(step.taken);
    taken_ += step.taken;
    given_ += step.given;
    CheckRatio();
    if (step.given > 0) {
      return step.given;
    }
  }
}

ByteReader::ByteReader(ByteStream& stream) : stream_(stream), buffer_(kBufferSize) {}

void ByteReader::Fill(std::size_t least) {
  if (back_ - front_ >= least || ended_) {
    return;
  }
  std::memmove(buffer_.data(), buffer_.data() + front_, back_ - front_);
  back_ -= front_;
  front_ = 0;
  while (back_ < least && !ended_) {
    const std::size_t count = stream_.Read(std::span(buffer_).subspan(back_));
    ended_ = count == 0;
    back_ += count;
  }
}

bool ByteReader::AtEnd() {
  Fill(1);
  return front_ == back_;
}

ByteView ByteReader::Peek(std::size_t most) {
  Fill(most);
  return ByteView(buffer_).subspan(front_, std::min(most, back_ - front_));
}

void ByteReader::Read(std::span<std::uint8_t> to) {
  while (!to.empty()) {
    if (AtEnd()) {
      throw Error(ErrorCode::kCorrupt, "it ends early, at byte " + std::to_string(position_));
    }
    const std::size_t count = std::min(to.size(), back_ - front_);
    std::memcpy(to.data(), buffer_.data() + front_, count);
    front_ += count;
    position_ += count;
    to = to.subspan(count);
  }
}

void ByteReader::Skip(std::uint64_t count) {
  Bytes scratch(static_cast<std::size_t>(std::min<std::uint64_t>(count, kBufferSize)));
  while (count > 0) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(count, scratch.size()));
    Read(std::span(scratch).first(piece));
    count -= piece;
  }
}

std::uint32_t ByteReader::ReadLe32() {
  std::array<std::uint8_t, 4> bytes{};
  Read(bytes);
  return LoadLe32(bytes.data());
}

void ReadDocumentBody(ByteReader& reader, std::uint32_t size, Bytes& document) {
  const std::uint64_t start = reader.position() - 4;
  try {
    if (size < kMinDocument || size > kMaxDumpDocument) {
      throw Error(ErrorCode::kCorrupt,
                  "a document of " + std::to_string(size) + " bytes, not 5 to " +
                      std::to_string(kMaxDumpDocument));
    }
    document.resize(size);
    StoreLe32(document.data(), size);
    reader.Read(std::span(document).subspan(4));
    bson::Validate(document);
  } catch (const Error& error) {
    throw error.WithContext("the document at byte " + std::to_string(start));
  }
}

void ReadDocuments(ByteReader& reader, const std::function<void(ByteView document)>& visit) {
  Bytes document;
  while (!reader.AtEnd()) {
    ReadDocumentBody(reader, reader.ReadLe32(), document);
    visit(document);
  }
}

}  // namespace tidemark::dump
