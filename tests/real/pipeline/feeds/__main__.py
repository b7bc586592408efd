import asyncio

from feeds.main import main

if __name__ == "__main__":
    asyncio.run(main())
