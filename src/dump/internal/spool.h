#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <vector>

#include "base/random.h"
#include "base/units.h"
#include "codec/codec.h"
#include "dump/internal/open_file.h"

namespace tidemark::dump {

// Takes the documents of many collections in any order, and gives back those of each in the order
// in which they came. They lie in one file without a name, in blocks that are compressed and
// encrypted under a key that nobody keeps: a crash leaves nothing that could be found or read.
// Memory: at most twice kBuffered, one document, and about 100 bytes a collection.
//
// A block: 8 bytes offset of the collection's next block (0: none), 4 bytes stored and 4 bytes
// plain size, the sealed zstd frame of the documents. Little-endian; bound to its offset.
//
// Append is confined to one thread. After Finish only ForEach is legal, from any thread.
class Spool {
 public:
  static constexpr ByteCount kBuffered = MiB(64);
  static constexpr ByteCount kBlock = MiB(1);  // plain bytes at which one is written
  // The file system keeps so much for the others that write to it.
  static constexpr ByteCount kKeptFree = MiB(256);

  // `random` must outlive the spool.
  Spool(const std::filesystem::path& folder, RandomSource& random);

  std::size_t AddStream();
  // kResourceExhausted when the disk is full or nearly so.
  void Append(std::size_t stream, ByteView document);
  void Finish();

  // kCancelled when stopped.
  void ForEach(std::size_t stream,
               const std::stop_token& stop,
               const std::function<void(ByteView document)>& visit) const;

  std::uint64_t documents(std::size_t stream) const { return streams_[stream].documents; }

  std::uint64_t bytes(std::size_t stream) const { return streams_[stream].bytes; }

 private:
  struct Stream {
    std::uint64_t first = 0;  // offset of a block; 0: none
    std::uint64_t last = 0;
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;
    Bytes buffer;
    bool listed = false;  // in filled_
  };

  void FlushAll();
  void Flush(Stream& stream);
  void CheckSpace();

  OpenFile file_;
  RandomSource& random_;
  codec::AeadKey key_{};
  std::vector<Stream> streams_;
  std::vector<std::size_t> filled_;  // all whose buffer is not empty
  std::uint64_t buffered_ = 0;       // bytes in all buffers
  std::uint64_t end_;                // of the file
  std::uint64_t checked_ = 0;        // where the free space was looked at
};

}  // namespace tidemark::dump
