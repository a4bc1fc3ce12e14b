#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bson/builder.h"
#include "codec/gzip.h"
#include "dump/internal/archive_reader.h"
#include "tests/support/gzip_files.h"

// Writers of dumps for tests: each can also write what no mongodump would.
namespace tidemark::dump {

// A folder of its own, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tidemark-dump-XXXXXX").string();
    TIDEMARK_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }

  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }

  void Write(const std::filesystem::path& name, ByteView bytes) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream out(path_ / name, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    TIDEMARK_CHECK(out.good());
  }

 private:
  std::filesystem::path path_;
};

inline void Append(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

inline Bytes Joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    Append(all, part);
  }
  return all;
}

// mongodump --archive.
class ArchiveWriter {
 public:
  ArchiveWriter() { Put32(kArchiveMagic); }

  ArchiveWriter& Header(std::string_view server_version = "4.0.3") {
    return Document(bson::Builder()
                        .Append("concurrent_collections", std::int32_t{4})
                        .Append("version", "0.1")
                        .Append("server_version", server_version)
                        .Append("tool_version", "100.10.0")
                        .Finish());
  }

  ArchiveWriter& Namespace(std::string_view database,
                           std::string_view collection,
                           std::string_view metadata = R"({"indexes":[]})",
                           std::string_view type = "collection") {
    return Document(bson::Builder()
                        .Append("db", database)
                        .Append("collection", collection)
                        .Append("metadata", metadata)
                        .Append("size", std::int32_t{0})
                        .Append("type", type)
                        .Finish());
  }

  ArchiveWriter& BlockHeader(std::string_view database,
                             std::string_view collection,
                             bool last = false,
                             std::uint64_t crc = 0) {
    return Document(bson::Builder()
                        .Append("db", database)
                        .Append("collection", collection)
                        .Append("EOF", last)
                        .Append("CRC", static_cast<std::int64_t>(crc))
                        .Finish());
  }

  ArchiveWriter& Block(std::string_view database,
                       std::string_view collection,
                       const std::vector<Bytes>& documents) {
    BlockHeader(database, collection);
    for (const Bytes& document : documents) {
      Document(document);
    }
    return Terminator();
  }

  // The last block of a namespace that holds these.
  ArchiveWriter& Close(std::string_view database,
                       std::string_view collection,
                       const std::vector<Bytes>& documents = {}) {
    return BlockHeader(database, collection, true, codec::Crc64(0, Joined(documents))).Terminator();
  }

  ArchiveWriter& Document(ByteView bytes) {
    Append(bytes_, bytes);
    return *this;
  }

  ArchiveWriter& Terminator() {
    Put32(0xffffffff);
    return *this;
  }

  const Bytes& bytes() const { return bytes_; }

 private:
  void Put32(std::uint32_t value) {
    std::array<std::uint8_t, 4> bytes{};
    StoreLe32(bytes.data(), value);
    Append(bytes_, bytes);
  }

  Bytes bytes_;
};

// A tar in ustar form.
class TarWriter {
 public:
  TarWriter& File(std::string_view path, ByteView content) {
    return Member(path, '0', content.size(), content);
  }

  TarWriter& Folder(std::string_view path) { return Member(path, '5', 0, {}); }

  TarWriter& Pax(std::string_view key, std::string_view value) {
    const std::string record = PaxRecord(key, value);
    return Member("pax", 'x', record.size(), AsBytes(record));
  }

  // Any type and size, whatever the content is.
  TarWriter& Member(std::string_view path, char type, std::uint64_t size, ByteView content) {
    Bytes header(512);
    const auto put = [&header](std::size_t at, std::string_view text) {
      std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
    };
    std::array<char, 13> octal{};
    std::snprintf(octal.data(), octal.size(), "%011lo", static_cast<unsigned long>(size));
    put(0, path.substr(0, 100));
    put(100, "0000644");
    put(124, octal.data());
    put(136, "00000000000");
    put(156, std::string_view(&type, 1));
    put(257, std::string_view("ustar\00000", 8));
    put(148, "        ");
    std::uint64_t sum = 0;
    for (const std::uint8_t byte : header) {
      sum += byte;
    }
    std::snprintf(octal.data(), octal.size(), "%06lo", static_cast<unsigned long>(sum));
    put(148, octal.data());
    header[154] = 0;
    Append(bytes_, header);
    Append(bytes_, content);
    bytes_.resize((bytes_.size() + 511) / 512 * 512);
    return *this;
  }

  Bytes End() const {
    Bytes all = bytes_;
    all.resize(all.size() + 1024);
    return all;
  }

  const Bytes& bytes() const { return bytes_; }

 private:
  static std::string PaxRecord(std::string_view key, std::string_view value) {
    const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
    std::size_t length = rest.size();
    while (std::to_string(length).size() + rest.size() != length) {
      length = std::to_string(length).size() + rest.size();
    }
    return std::to_string(length) + rest;
  }

  Bytes bytes_;
};

// Bytes as a stream, a few at a time.
class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(ByteView bytes, std::size_t piece = 4096) : rest_(bytes), piece_(piece) {}

  std::size_t Read(std::span<std::uint8_t> to) override {
    const std::size_t count = std::min({to.size(), rest_.size(), piece_});
    std::copy_n(rest_.begin(), count, to.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  ByteView rest_;
  const std::size_t piece_;
};

}  // namespace tidemark::dump
