#pragma once

#include <memory>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "archive/internal/block.h"

namespace tidemark::archive {

// What is packed. Immutable.
struct ArchiveContents {
  ArchiveContents(const repo::Manifest& from, const ArchiveOptions& how);
  ArchiveContents(const ArchiveContents&) = delete;
  ArchiveContents& operator=(const ArchiveContents&) = delete;

  const ArchiveOptions options;
  const repo::Manifest manifest;                         // empty databases in order
  const std::vector<const repo::NamespaceEntry*> order;  // by database, then collection
};

// What a format puts before, between and after the documents. Confined.
class Layout {
 public:
  virtual ~Layout() = default;
  // What stands before the first namespace, from the place of that number on.
  virtual void Open(std::uint32_t from, BlockBuilder& out) = 0;
  // Before the first document of a namespace, and after the last.
  virtual void Begin(std::uint32_t index, BlockBuilder& out) = 0;
  virtual void End(std::uint32_t index, std::uint64_t crc, BlockBuilder& out) = 0;
  virtual void Close(BlockBuilder& out) = 0;

  // The tar member that documents of the namespace become as lines; empty when they stay BSON.
  virtual std::string LinesPath(std::uint32_t index, std::uint32_t part) const = 0;
};

std::unique_ptr<Layout> MakeLayout(const ArchiveContents& contents);

}  // namespace tidemark::archive
