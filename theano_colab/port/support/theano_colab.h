/* Included by the compiler ahead of everything it compiles for Theano (-include).
 *
 * headers.py precompiles theano_colab_names.h. What follows it here differs between modules, and
 * GCC refuses a precompiled header in which a name occurs that is now a macro.
 */
#include "theano_colab_names.h"

#ifdef THEANO_COLAB_BLAS_PREFIX
#include "theano_colab_blas.h"
#endif
