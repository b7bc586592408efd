"""Problems with a source position, and the logger that reports them."""
