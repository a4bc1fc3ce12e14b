#pragma once

#include <memory>

namespace tidemark {

// A template argument loses the alignment that a library's typedef asks for (bson_t); the object
// itself has it.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Walign-mismatch"

template <auto Destroy>
struct CDestroy {
  template <class T>
  void operator()(T* handle) const {
    Destroy(handle);
  }
};

#pragma clang diagnostic pop

// The one owner type of a C library's object.
template <class T, auto Destroy>
using CHandle = std::unique_ptr<T, CDestroy<Destroy>>;

}  // namespace tidemark
