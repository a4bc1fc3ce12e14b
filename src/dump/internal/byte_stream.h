#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>

#include "codec/gunzip.h"
#include "dump/internal/open_file.h"

namespace tidemark::dump {

// Bytes that are read once, from front to back. Confined.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Some bytes to the front of `to`, and how many; 0 at the end only. Blocks.
  // REQUIRES: `to` is not empty.
  virtual std::size_t Read(std::span<std::uint8_t> to) = 0;
};

// Of a regular file. `file` must outlive it.
class FileStream final : public ByteStream {
 public:
  // `on_read` is called with the position after each piece; may be empty.
  explicit FileStream(const OpenFile& file,
                      std::stop_token stop = {},
                      std::function<void(std::uint64_t position)> on_read = {})
      : file_(file), stop_(std::move(stop)), on_read_(std::move(on_read)) {}

  // kCancelled when stopped.
  std::size_t Read(std::span<std::uint8_t> to) override;

 private:
  const OpenFile& file_;
  const std::stop_token stop_;
  const std::function<void(std::uint64_t)> on_read_;
  std::uint64_t position_ = 0;
};

// A gzip may claim to be anything; beyond this it is taken for an attack.
struct UnpackLimits {
  std::uint64_t free_bytes = 256U << 20;  // unpacked, before the ratio counts
  std::uint64_t ratio = 400;              // deflate reaches 1032; real dumps stay below 100
};

// What a gzip stream holds. kCorrupt when it is damaged or ends early, kResourceExhausted beyond
// the limits. `packed` must outlive it.
class UnpackedStream final : public ByteStream {
 public:
  explicit UnpackedStream(ByteStream& packed, UnpackLimits limits = {})
      : packed_(packed), limits_(limits) {}

  std::size_t Read(std::span<std::uint8_t> to) override;

 private:
  bool Refill();
  void CheckRatio() const;

  ByteStream& packed_;
  const UnpackLimits limits_;
  codec::Gunzip gunzip_;
  Bytes buffer_;
  ByteView rest_;  // of buffer_
  std::uint64_t taken_ = 0;
  std::uint64_t given_ = 0;
};

// Reads exact pieces of a stream. Confined. `stream` must outlive it.
class ByteReader {
 public:
  explicit ByteReader(ByteStream& stream);

  std::uint64_t position() const { return position_; }

  bool AtEnd();
  // The next bytes, at most `most`, without taking them; fewer at the end only.
  // REQUIRES: most <= 64 KiB. Valid until the next call.
  ByteView Peek(std::size_t most);
  // All of `to`. kCorrupt when the stream ends before.
  void Read(std::span<std::uint8_t> to);
  void Skip(std::uint64_t count);
  std::uint32_t ReadLe32();

 private:
  void Fill(std::size_t least);

  ByteStream& stream_;
  Bytes buffer_;
  std::size_t front_ = 0;  // of what is in the buffer
  std::size_t back_ = 0;
  bool ended_ = false;
  std::uint64_t position_ = 0;
};

// Reads one document of `size` bytes whose length has been read; checks it to its depths. kCorrupt.
void ReadDocumentBody(ByteReader& reader, std::uint32_t size, Bytes& document);
// Documents back to back up to the end of the stream.
void ReadDocuments(ByteReader& reader, const std::function<void(ByteView document)>& visit);

}  // namespace tidemark::dump
