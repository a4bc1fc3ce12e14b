#include <memory>

#include <zstd.h>

#include "base/c_handle.h"
#include "base/error.h"
#include "codec/codec.h"

namespace tidemark::codec {
namespace {

using Compressor = CHandle<ZSTD_CCtx, ZSTD_freeCCtx>;
using Decompressor = CHandle<ZSTD_DCtx, ZSTD_freeDCtx>;

constexpr int kMinLevel = 1;
constexpr int kMaxLevel = 19;

// For the fastest level and the usual chunks zstd's own choice is a hash table of 32 to 64 KiB,
// which falls out of the first cache; with 16 KiB compression takes 5 to 16 % less time and the
// result is 1 to 2 % larger (measured: docs/performance.md). Larger pieces need the larger table.
constexpr int kSmallHashLog = 12;  // 4-byte entries
constexpr std::size_t kSmallPiece = 512U << 10;

void RequireDone(std::size_t result, ErrorCode code, std::string_view doing) {
  if (ZSTD_isError(result) != 0) {
    throw Error(code, std::string(doing) + ": " + ZSTD_getErrorName(result));
  }
}

// The calling thread's context: its tables are megabytes.
ZSTD_CCtx* ThreadCompressor() {
  thread_local const Compressor context(ZSTD_createCCtx());
  return context.get();
}

ZSTD_DCtx* ThreadDecompressor() {
  thread_local const Decompressor context(ZSTD_createDCtx());
  return context.get();
}

void RequireContentSize(ByteView compressed, std::size_t plain_size) {
  const unsigned long long stated = ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  if (stated == ZSTD_CONTENTSIZE_ERROR || stated == ZSTD_CONTENTSIZE_UNKNOWN) {
    throw Error(ErrorCode::kCorrupt, "decompressing: not a zstd frame with a content size");
  }
  if (stated != plain_size) {
    throw Error(ErrorCode::kCorrupt,
                "decompressing: content is " + std::to_string(stated) + " bytes, expected " +
                    std::to_string(plain_size));
  }
}

}  // namespace

Bytes Compress(ByteView plain, int level) {
  if (level < kMinLevel || level > kMaxLevel) {
    throw Error(ErrorCode::kInvalidArgument,
                "compressing: level " + std::to_string(level) + " is not in 1..19");
  }
  ZSTD_CCtx* context = ThreadCompressor();
  TIDEMARK_CHECK(context != nullptr);
  const bool small_table = level == kMinLevel && plain.size() <= kSmallPiece;
  RequireDone(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level),
              ErrorCode::kInternal,
              "compressing");
  RequireDone(ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, small_table ? kSmallHashLog : 0),
              ErrorCode::kInternal,
              "compressing");
  // Scratch, so that what is kept is as large as the result and not as the worst case.
  const std::size_t bound = ZSTD_compressBound(plain.size());
  const auto scratch = std::make_unique_for_overwrite<std::uint8_t[]>(bound);
  const std::size_t size =
      ZSTD_compress2(context, scratch.get(), bound, plain.data(), plain.size());
  RequireDone(size, ErrorCode::kInternal, "compressing");
  return Bytes(scratch.get(), scratch.get() + size);
}

Bytes Decompress(ByteView compressed, std::size_t plain_size) {
  RequireContentSize(compressed, plain_size);
  const std::size_t frame = ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
  RequireDone(frame, ErrorCode::kCorrupt, "decompressing");
  if (frame != compressed.size()) {
    throw Error(ErrorCode::kCorrupt, "decompressing: bytes follow the zstd frame");
  }
  ZSTD_DCtx* context = ThreadDecompressor();
  TIDEMARK_CHECK(context != nullptr);
  Bytes plain(plain_size);
  const std::size_t size = ZSTD_decompressDCtx(
      context, plain.data(), plain.size(), compressed.data(), compressed.size());
  RequireDone(size, ErrorCode::kCorrupt, "decompressing");
  if (size != plain_size) {
    throw Error(ErrorCode::kCorrupt,
                "decompressing: content is " + std::to_string(size) + " bytes, expected " +
                    std::to_string(plain_size));
  }
  return plain;
}

}  // namespace tidemark::codec
