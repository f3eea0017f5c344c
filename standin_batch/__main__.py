"""`python -m standin_batch` is `standin`."""

from standin_batch.cli.main import main

if __name__ == "__main__":
    main()
