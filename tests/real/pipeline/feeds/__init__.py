"""An asyncio pipeline: reads feeds, cleans and stores their items, with time limits and cancellation."""
