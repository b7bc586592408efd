"""What only `instrument check` needs: valid specs against the language and against what is installed."""
