from shoptool.click_cli import main

if __name__ == "__main__":
    main(prog_name="shoptool")
