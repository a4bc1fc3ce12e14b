#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::bson {

// The words of a JSON text (RFC 8259), one after the other from a place in it. What is not the word
// that is asked for is kCorrupt, with the place. Confined; borrows the text.
class JsonText {
 public:
  explicit JsonText(std::string_view text) : text_(text) {}

  // Throws kCorrupt with the place and `why`.
  [[noreturn]] void Fail(const std::string& why) const;

  bool AtEnd() const { return at_ == text_.size(); }

  // Where the next word begins, and back there.
  std::size_t position() const { return at_; }

  void GoBack(std::size_t position) { at_ = position; }

  // The next character, which is not taken. It ending here is a failure.
  char Front() const {
    if (at_ >= text_.size()) {
      Fail("it ends early");
    }
    return text_[at_];
  }

  // REQUIRES: a Front().
  void Skip() { ++at_; }

  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) {
      ++at_;
    }
  }

  bool TakeIf(char c) {
    const bool there = Front() == c;
    at_ += there ? 1 : 0;
    return there;
  }

  void Expect(char c) {
    if (!TakeIf(c)) {
      Fail(std::string("expected ") + c);
    }
  }

  void ExpectWord(std::string_view word);
  // A text in quotes, as UTF-8; not checked for being that.
  std::string ReadString();
  // A number as JSON writes it; `whole`: without a fraction and an exponent.
  std::string_view ReadNumber(bool& whole);
  // With the space about it.
  void ExpectColon();
  // "name": up to its value; the second with a comma ahead.
  void ExpectMember(std::string_view name);
  void ExpectNextMember(std::string_view name);
  // The brace that ends an object.
  void CloseObject();

 private:
  void ReadEscape(std::string& value);
  std::uint32_t ReadCodePoint();
  std::uint32_t ReadHex4();

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace tidemark::bson
