#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <isa-l.h>

#include "archive/archive.h"
#include "tests/support/engine_fixture.h"

namespace tidemark::archive {

// What a gzip file of any number of members holds.
inline Bytes Gunzip(ByteView packed) {
  Bytes plain;
  while (!packed.empty()) {
    inflate_state state;
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    state.next_in = const_cast<std::uint8_t*>(packed.data());
    state.avail_in = static_cast<std::uint32_t>(packed.size());
    Bytes piece(1U << 20);
    do {
      state.next_out = piece.data();
      state.avail_out = static_cast<std::uint32_t>(piece.size());
      if (isal_inflate(&state) != ISAL_DECOMP_OK) {
        ADD_FAILURE() << "not gzip";
        return plain;
      }
      plain.insert(plain.end(), piece.begin(), piece.end() - state.avail_out);
    } while (state.block_state != ISAL_BLOCK_FINISH);
    packed = packed.last(state.avail_in);
  }
  return plain;
}

struct TarEntry {
  std::string path;
  std::string text;
  std::string mode;
  std::uint64_t time = 0;
};

// A tar with its pax headers, in order. Strict: every sum, the padding and the end are checked.
class TarReader {
 public:
  explicit TarReader(ByteView tar) : rest_(tar) {}

  std::vector<TarEntry> ReadAll() {
    std::vector<TarEntry> entries;
    while (!AtEnd()) {
      entries.push_back(ReadEntry());
    }
    EXPECT_EQ(rest_.size(), 1024U) << "the end is two blocks of zeros";
    return entries;
  }

 private:
  static constexpr std::size_t kBlock = 512;

  bool AtEnd() const {
    return rest_.size() < kBlock || std::ranges::all_of(rest_, [](auto byte) { return byte == 0; });
  }

  std::string Field(std::size_t at, std::size_t size) const {
    const std::string_view text = AsText(rest_.subspan(at, size));
    return std::string(text.substr(0, text.find('\0')));
  }

  std::uint64_t Octal(std::size_t at, std::size_t size) const {
    return std::stoull(Field(at, size), nullptr, 8);
  }

  void CheckSum() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      sum += i >= 148 && i < 156 ? std::uint64_t{' '} : rest_[i];
    }
    EXPECT_EQ(Octal(148, 8), sum);
  }

  std::string TakeBody(std::uint64_t size) {
    rest_ = rest_.subspan(kBlock);
    const std::string body(AsText(rest_.first(size)));
    const std::size_t padded = (size + kBlock - 1) / kBlock * kBlock;
    for (std::size_t i = size; i < padded; ++i) {
      EXPECT_EQ(rest_[i], 0);
    }
    rest_ = rest_.subspan(padded);
    return body;
  }

  static std::map<std::string, std::string> ParsePax(std::string_view records) {
    std::map<std::string, std::string> values;
    while (!records.empty()) {
      const std::size_t length = std::stoull(std::string(records));
      std::string_view record = records.substr(0, length);
      EXPECT_TRUE(record.ends_with('\n'));
      record = record.substr(record.find(' ') + 1);
      const std::size_t equals = record.find('=');
      values[std::string(record.substr(0, equals))] =
          record.substr(equals + 1, record.size() - equals - 2);
      records.remove_prefix(length);
    }
    return values;
  }

  TarEntry ReadEntry() {
    std::map<std::string, std::string> pax;
    CheckSum();
    EXPECT_EQ(Field(257, 6), "ustar");
    if (Field(156, 1) == "x") {
      pax = ParsePax(TakeBody(Octal(124, 12)));
      CheckSum();
    }
    TarEntry entry;
    const std::string prefix = Field(345, 155);
    entry.path = (prefix.empty() ? "" : prefix + "/") + Field(0, 100);
    entry.mode = Field(100, 8);
    entry.time = Octal(136, 12);
    std::uint64_t size = Octal(124, 12);
    if (pax.contains("path")) {
      entry.path = pax["path"];
    }
    if (pax.contains("size")) {
      size = std::stoull(pax["size"]);
    }
    EXPECT_EQ(Field(156, 1), entry.path.ends_with('/') ? "5" : "0");
    entry.text = TakeBody(size);
    return entry;
  }

  ByteView rest_;
};

// A snapshot of the fixture's source, and its archives.
class ArchiveFixture : public engine::EngineFixture {
 protected:
  ArchiveFixture() { archive_.time = clock_.Now(); }

  void TakeOne() {
    Take();
    manifest_ = Manifest();
    reader_ = repository_->NewReader(options_.project);
  }

  Bytes Pack(std::uint64_t offset = 0, ArchiveMap* map = nullptr, std::size_t piece = 100'000) {
    const auto reader = OpenArchive(*reader_, manifest_, archive_, offset, map, stop_.get_token());
    return ReadAll(*reader, piece);
  }

  static Bytes ReadAll(ArchiveReader& reader, std::size_t piece) {
    Bytes all;
    Bytes buffer(piece);
    while (const std::size_t size = reader.Read(buffer)) {
      all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    }
    EXPECT_EQ(reader.Read(buffer), 0U);
    return all;
  }

  std::vector<TarEntry> Tar() { return TarReader(Gunzip(Pack())).ReadAll(); }

  std::map<std::string, std::string> Files() {
    std::map<std::string, std::string> files;
    for (TarEntry& entry : Tar()) {
      const bool first = files.emplace(entry.path, std::move(entry.text)).second;
      EXPECT_TRUE(first) << entry.path;
    }
    return files;
  }

  ArchiveOptions archive_;
  repo::Manifest manifest_;
  std::unique_ptr<repo::SnapshotReader> reader_;
};

inline std::string Joined(const std::vector<Bytes>& documents) {
  std::string all;
  for (const Bytes& document : documents) {
    all += AsText(document);
  }
  return all;
}

}  // namespace tidemark::archive
