#include <algorithm>
#include <limits>
#include <memory>

#include <openssl/evp.h>

#include "base/c_handle.h"
#include "base/error.h"
#include "codec/codec.h"

namespace tidemark::codec {
namespace {

using Cipher = CHandle<EVP_CIPHER, EVP_CIPHER_free>;
using CipherContext = CHandle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

enum class Direction { kSeal, kOpen };

// The library counts in int.
constexpr std::size_t kMaxMessage = std::numeric_limits<int>::max();  // bytes

[[noreturn]] void ThrowCipherFailed(std::string_view doing) {
  throw Error(ErrorCode::kInternal, std::string(doing) + ": the crypto library refused");
}

[[noreturn]] void ThrowNotAuthentic() {
  throw Error(ErrorCode::kCorrupt,
              "opening sealed bytes: key, associated data or content is not what was sealed");
}

const EVP_CIPHER* Aes256Gcm() {
  static const Cipher cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  return cipher.get();
}

// One message under way. The context is the calling thread's: making one costs more than a small
// message.
class Message {
 public:
  Message(Direction direction,
          const AeadKey& key,
          const std::uint8_t* nonce,
          std::string_view doing)
      : doing_(doing) {
    thread_local const CipherContext context(EVP_CIPHER_CTX_new());
    context_ = context.get();
    const int encrypt = direction == Direction::kSeal ? 1 : 0;
    Require(context_ != nullptr && Aes256Gcm() != nullptr &&
            EVP_CipherInit_ex2(context_, Aes256Gcm(), key.data(), nonce, encrypt, nullptr) == 1);
  }

  void Associate(ByteView associated) {
    int written = 0;
    Require(associated.empty() || EVP_CipherUpdate(context_,
                                                   nullptr,
                                                   &written,
                                                   associated.data(),
                                                   static_cast<int>(associated.size())) == 1);
  }

  void Transform(ByteView in, std::uint8_t* out) {
    int written = 0;
    Require(in.empty() ||
            EVP_CipherUpdate(context_, out, &written, in.data(), static_cast<int>(in.size())) == 1);
  }

  // False when an opened message fails its tag.
  bool Finish() {
    std::uint8_t unused = 0;  // GCM has no final block
    int written = 0;
    return EVP_CipherFinal_ex(context_, &unused, &written) == 1;
  }

  void GetTag(std::uint8_t* tag) { Control(EVP_CTRL_AEAD_GET_TAG, tag); }

  void SetTag(std::uint8_t* tag) { Control(EVP_CTRL_AEAD_SET_TAG, tag); }

 private:
  void Require(bool done) const {
    if (!done) {
      ThrowCipherFailed(doing_);
    }
  }

  void Control(int command, std::uint8_t* tag) {
    Require(EVP_CIPHER_CTX_ctrl(context_, command, static_cast<int>(kAeadTagSize), tag) == 1);
  }

  std::string_view doing_;
  EVP_CIPHER_CTX* context_ = nullptr;
};

void RequireSize(ByteView bytes, std::string_view doing) {
  if (bytes.size() > kMaxMessage) {
    throw Error(ErrorCode::kInvalidArgument,
                std::string(doing) + ": " + std::to_string(bytes.size()) +
                    " bytes are more than the cipher takes");
  }
}

}  // namespace

Bytes Seal(const AeadKey& key, ByteView associated, ByteView plaintext, RandomSource& random) {
  RequireSize(associated, "sealing");
  RequireSize(plaintext, "sealing");
  Bytes sealed(plaintext.size() + kSealOverhead);
  random.Fill(std::span(sealed).first(kAeadNonceSize));
  Message message(Direction::kSeal, key, sealed.data(), "sealing");
  message.Associate(associated);
  message.Transform(plaintext, sealed.data() + kAeadNonceSize);
  if (!message.Finish()) {
    ThrowCipherFailed("sealing");
  }
  message.GetTag(sealed.data() + kAeadNonceSize + plaintext.size());
  return sealed;
}

Bytes Open(const AeadKey& key, ByteView associated, ByteView sealed) {
  RequireSize(associated, "opening sealed bytes");
  RequireSize(sealed, "opening sealed bytes");
  if (sealed.size() < kSealOverhead) {
    throw Error(ErrorCode::kCorrupt,
                "opening sealed bytes: " + std::to_string(sealed.size()) +
                    " bytes are too few to be sealed");
  }
  const ByteView ciphertext = sealed.subspan(kAeadNonceSize, sealed.size() - kSealOverhead);
  std::array<std::uint8_t, kAeadTagSize> tag;
  std::ranges::copy(sealed.last(kAeadTagSize), tag.begin());
  Bytes plaintext(ciphertext.size());
  Message message(Direction::kOpen, key, sealed.data(), "opening sealed bytes");
  message.Associate(associated);
  message.Transform(ciphertext, plaintext.data());
  message.SetTag(tag.data());
  if (!message.Finish()) {
    ThrowNotAuthentic();
  }
  return plaintext;
}

}  // namespace tidemark::codec
