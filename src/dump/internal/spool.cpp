#include "dump/internal/spool.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "bson/document.h"

namespace tidemark::dump {
namespace {

constexpr std::size_t kHeaderSize = 16;           // bytes
constexpr std::uint64_t kCheckEvery = 16U << 20;  // bytes written
constexpr int kCompression = 1;                   // zstd: it is read back once
// Offset 0 stands for none.
constexpr std::uint64_t kFirstOffset = kHeaderSize;

struct BlockHeader {
  std::uint64_t next = 0;
  std::uint32_t stored = 0;
  std::uint32_t plain = 0;
};

using HeaderBytes = std::array<std::uint8_t, kHeaderSize>;

std::array<std::uint8_t, 8> OffsetBytes(std::uint64_t offset) {
  std::array<std::uint8_t, 8> bytes{};
  StoreLe64(bytes.data(), offset);
  return bytes;
}

void ReadAll(const OpenFile& file, std::uint64_t offset, std::span<std::uint8_t> to) {
  while (!to.empty()) {
    const std::size_t count = file.Read(offset, to);
    if (count == 0) {
      throw Error(ErrorCode::kIo, "reading " + file.path() + ": it has lost bytes");
    }
    to = to.subspan(count);
    offset += count;
  }
}

BlockHeader ReadHeader(const OpenFile& file, std::uint64_t offset) {
  HeaderBytes bytes{};
  ReadAll(file, offset, bytes);
  return {.next = LoadLe64(bytes.data()),
          .stored = LoadLe32(bytes.data() + 8),
          .plain = LoadLe32(bytes.data() + 12)};
}

}  // namespace

Spool::Spool(const std::filesystem::path& folder, RandomSource& random)
    : file_(OpenFile::Nameless(folder)), random_(random), end_(kFirstOffset) {
  random_.Fill(key_);
}

std::size_t Spool::AddStream() {
  streams_.emplace_back();
  return streams_.size() - 1;
}

void Spool::Append(std::size_t stream, ByteView document) {
  Stream& to = streams_[stream];
  if (!std::exchange(to.listed, true)) {
    filled_.push_back(stream);
  }
  to.buffer.insert(to.buffer.end(), document.begin(), document.end());
  to.documents += 1;
  to.bytes += document.size();
  buffered_ += document.size();
  if (to.buffer.size() >= kBlock.value) {
    Flush(to);
  }
  if (buffered_ >= kBuffered.value) {
    FlushAll();
  }
}

void Spool::Finish() {
  FlushAll();
}

void Spool::FlushAll() {
  for (const std::size_t stream : filled_) {
    Flush(streams_[stream]);
    streams_[stream].listed = false;
  }
  filled_.clear();
}

void Spool::Flush(Stream& stream) {
  if (stream.buffer.empty()) {
    return;
  }
  CheckSpace();
  const Bytes sealed =
      codec::Seal(key_, OffsetBytes(end_), codec::Compress(stream.buffer, kCompression), random_);
  Bytes block(kHeaderSize);
  StoreLe32(block.data() + 8, static_cast<std::uint32_t>(sealed.size()));
  StoreLe32(block.data() + 12, static_cast<std::uint32_t>(stream.buffer.size()));
  block.insert(block.end(), sealed.begin(), sealed.end());
  file_.Write(end_, block);
  if (stream.last == 0) {
    stream.first = end_;
  } else {
    file_.Write(stream.last, OffsetBytes(end_));
  }
  stream.last = end_;
  end_ += block.size();
  buffered_ -= stream.buffer.size();
  Bytes().swap(stream.buffer);  // the room too: there may be many of them
}

void Spool::CheckSpace() {
  if (end_ - checked_ < kCheckEvery) {
    return;
  }
  checked_ = end_;
  if (file_.FreeSpace() < kKeptFree.value) {
    throw Error(ErrorCode::kResourceExhausted,
                "keeping the dump's documents: less than 256 MiB are free in the data directory",
                "make room, or unpack the dump and import its folder");
  }
}

void Spool::ForEach(std::size_t stream,
                    const std::stop_token& stop,
                    const std::function<void(ByteView document)>& visit) const {
  BlockHeader header;
  Bytes sealed;
  for (std::uint64_t at = streams_[stream].first; at != 0; at = header.next) {
    if (stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "reading the dump's documents: cancelled");
    }
    header = ReadHeader(file_, at);
    sealed.resize(header.stored);
    ReadAll(file_, at + kHeaderSize, sealed);
    const Bytes plain = codec::Decompress(codec::Open(key_, OffsetBytes(at), sealed), header.plain);
    for (ByteView rest = plain; !rest.empty();) {
      const std::size_t size = bson::FrontDocumentSize(rest);
      visit(rest.first(size));
      rest = rest.subspan(size);
    }
  }
}

}  // namespace tidemark::dump
