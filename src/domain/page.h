#pragma once

#include <cstdint>
#include <vector>

namespace tidemark::domain {

// One page of a list, contract.md 5. `number` counts from 1.
struct Page {
  std::int64_t number = 1;
  std::int64_t size = 100;  // 1..500

  std::int64_t Offset() const { return (number - 1) * size; }
};

// What a list query gives: the rows of the page and how many rows there are in all.
template <class T>
struct Listing {
  std::vector<T> rows;
  std::int64_t total = 0;
};

}  // namespace tidemark::domain
