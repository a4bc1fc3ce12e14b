#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/error.h"
#include "service/archive_stream.h"

namespace tidemark::service {

// What stands for a packed snapshot: `content`, which a test may change before it is opened.
class FakeArchive {
 public:
  std::string content = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::size_t damaged_at = std::string::npos;  // reading this byte throws kCorrupt
  std::atomic<int> opened = 0;

  ArchiveOpener Opener() {
    return [this](repo::SnapshotReader&,
                  const repo::Manifest&,
                  const archive::ArchiveOptions&,
                  std::uint64_t offset,
                  archive::ArchiveMap*,
                  const std::stop_token& stop) {
      ++opened;
      return std::make_unique<Reader>(content, damaged_at, offset, stop);
    };
  }

 private:
  class Reader final : public archive::ArchiveReader {
   public:
    Reader(std::string content, std::size_t damaged_at, std::uint64_t offset, std::stop_token stop)
        : content_(std::move(content)),
          damaged_at_(damaged_at),
          at_(offset),
          stop_(std::move(stop)) {}

    std::size_t Read(std::span<std::uint8_t> to) override {
      if (stop_.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "packing: stopped");
      }
      if (at_ >= damaged_at_) {
        throw Error(ErrorCode::kCorrupt, "packing shop.orders: a chunk is damaged");
      }
      const std::size_t end = std::min(content_.size(), damaged_at_);
      const std::size_t count = std::min(to.size(), end - at_);
      std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(at_), count, to.begin());
      at_ += count;
      return count;
    }

   private:
    const std::string content_;
    const std::size_t damaged_at_;
    std::size_t at_;
    const std::stop_token stop_;
  };
};

}  // namespace tidemark::service
