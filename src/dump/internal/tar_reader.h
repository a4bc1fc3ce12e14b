#pragma once

#include <optional>
#include <string>

#include "dump/internal/byte_stream.h"

namespace tidemark::dump {

struct TarMember {
  std::string path;  // relative, without "./" in front and '/' at the end; empty: the top folder
  bool folder = false;
  std::uint64_t size = 0;  // bytes
};

// Reads a tar of files and folders: ustar, with pax or GNU long names and sizes. As a stream it
// holds what is left of the member that Next gave. Everything else that a tar may hold is refused:
// links, devices, sparse files, paths that are absolute or have "..". Nothing is ever written to a
// path. Confined. `reader` must outlive it.
class TarReader final : public ByteStream {
 public:
  explicit TarReader(ByteReader& reader) : reader_(reader) {}

  // The next member; what is left of the one before is passed over. nullopt at the end of the
  // archive, behind which there are only zeros. kCorrupt, and kUnsupported for what is refused.
  std::optional<TarMember> Next();
  std::size_t Read(std::span<std::uint8_t> to) override;

  // Whether that is the begin of a tar with a member: zeros alone are no dump.
  static bool LooksLikeOne(ByteView begin);

 private:
  // What stands before a member's own header.
  struct Extensions {
    std::optional<std::string> path;
    std::optional<std::uint64_t> size;
  };

  void BeginMember(std::uint64_t size);
  void FinishMember();
  void ReadEnd();
  void ReadExtension(char type, Extensions& extensions);
  static void ReadPaxRecords(std::string_view records, char type, Extensions& extensions);
  TarMember ReadMember(ByteView header, const Extensions& extensions);

  ByteReader& reader_;
  std::uint64_t left_ = 0;     // bytes of the member
  std::uint64_t padding_ = 0;  // bytes behind it
};

}  // namespace tidemark::dump
