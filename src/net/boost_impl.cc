// The one place where the compiled parts of Boost.Asio and Beast are built.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
