"""Video files become footage: looked through, copied or encoded once, and written as segments."""
