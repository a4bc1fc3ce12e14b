#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>

#include "archive/archive.h"

namespace tidemark::service {

// The bytes of an archive on their way to a client: what http::BodySource wants, without knowing
// HTTP. Confined.
class ArchiveStream {
 public:
  virtual ~ArchiveStream() = default;
  // As archive::ArchiveReader::Read, but ends where the request does.
  virtual std::size_t Read(std::span<std::uint8_t> to) = 0;
  // All has been sent. Without it the destructor takes the stream for broken off.
  virtual void Finish() = 0;
};

// archive::OpenArchive, or what stands for it in a test.
using ArchiveOpener =
    std::function<std::unique_ptr<archive::ArchiveReader>(repo::SnapshotReader& reader,
                                                          const repo::Manifest& manifest,
                                                          const archive::ArchiveOptions& options,
                                                          std::uint64_t offset,
                                                          archive::ArchiveMap* map,
                                                          const std::stop_token& stop)>;

}  // namespace tidemark::service
